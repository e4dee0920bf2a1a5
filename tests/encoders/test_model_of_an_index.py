"""An index remembers its model: another cannot query it, and changing it does not segment anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.encoders.test_models_command import NOBODY, REPOSITORY, assert_refused, run
from tests.encoders.tiny_models import CLIP_PREPROCESSING, clip_folder, siglip_folder, write_json
from tests.media import Shot, render, write_video


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shots = [Shot(seed, 2.0) for seed in (1, 2, 1, 2)]
    return write_video(tmp_path_factory.mktemp("films") / "film.mp4", render(shots))


def index(film: Path, library: Path, *arguments: object) -> list[str]:
    done = run("index", film, "--library", library, "--json", "--num-clusters", 2, *arguments)
    assert done.returncode == 0, done.stderr
    stages: list[str] = json.loads(done.stdout)[0]["done"]
    return stages


def test_changing_the_model_keeps_the_scenes(film: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    first, second = clip_folder(tmp_path / "first"), siglip_folder(tmp_path / "second")
    assert index(film, library, "--model", first)[0] == "scenes"
    scenes = run("scenes", film, "--library", library, "--json").stdout
    assert index(film, library, "--model", first) == []
    assert index(film, library, "--model", second)[0] == "vectors"
    now = run("scenes", film, "--library", library, "--json").stdout
    spans = [
        [(scene["start_s"], scene["end_s"]) for scene in json.loads(listed)]
        for listed in (scenes, now)
    ]
    assert spans[0] == spans[1]
    found = json.loads(run("search", "a dog", "--library", library, "--json").stdout)
    assert found["moments"]


def test_another_model_cannot_query_it(film: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    model = clip_folder(tmp_path / "model")
    index(film, library, "--model", model)
    search = ("search", "a dog", "--library", library)
    assert run(*search).returncode == 0

    write_json(model / "preprocessor_config.json", {**CLIP_PREPROCESSING, "resample": 2})
    assert_refused(run(*search), "another version", "index", "install the version")

    shutil.rmtree(model)
    assert_refused(run(*search), str(model))


def test_the_folder_is_found_from_anywhere(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip_folder(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    assert index(film, tmp_path / "library", "--model", "model")[0] == "scenes"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    done = run("search", "a dog", "--library", tmp_path / "library")
    assert done.returncode == 0, done.stderr
    assert index(film, tmp_path / "library") == []


def test_naming_a_model_on_a_hub_fetches_it(film: Path, tmp_path: Path) -> None:
    from tests.encoders.local_hub import serve

    clip_folder(tmp_path / "hub" / REPOSITORY)
    library = tmp_path / "library"
    with serve(tmp_path / "hub", licence="cc-by-4.0") as (endpoint, _):
        done = run("index", film, "--library", library, "--model", REPOSITORY, endpoint=endpoint)
    assert done.returncode == 0, done.stderr
    assert f"fetching {REPOSITORY}" in done.stderr
    assert "cc-by-4.0" in done.stderr
    done = run("search", "a dog", "--library", library, endpoint=NOBODY)
    assert done.returncode == 0, done.stderr


def test_a_search_never_fetches(film: Path, tmp_path: Path, own_directories: Path) -> None:
    from tests.encoders.local_hub import serve

    clip_folder(tmp_path / "hub" / REPOSITORY)
    library = tmp_path / "library"
    with serve(tmp_path / "hub") as (endpoint, asked):
        options = ("--library", library, "--model", REPOSITORY)
        assert run("index", film, *options, endpoint=endpoint).returncode == 0
        shutil.rmtree(own_directories / "data" / "semantic-video-models")
        asked.clear()
        done = run("search", "a dog", "--library", library, endpoint=endpoint)
        assert_refused(done, f"models pull {REPOSITORY}", "--model lite")
        assert asked == []
