"""``semantic-video models``, against a hub on this machine, in processes of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from onnx import TensorProto

from semantic_video.encoders import load_encoder
from semantic_video.encoders.presets import PRESETS
from semantic_video.scene_retrieval import References
from semantic_video.utils.images import read_image
from tests.encoders.local_hub import REVISION, serve
from tests.encoders.tiny_models import DIMENSION, clip_folder, image_nodes, save_graph, text_nodes
from tests.media import jpeg_bytes, picture

PROJECT = Path(__file__).parents[2]
NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens
REPOSITORY = "someone/tiny-clip"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    model = clip_folder(tmp_path / "hub" / REPOSITORY)
    (model / "a video of 40 GB.bin").write_bytes(b"not wanted")
    shutil.copy(model / "onnx/vision_model.onnx", model / "onnx/vision_model_int8.onnx")
    shutil.copy(model / "onnx/text_model.onnx", model / "onnx/text_model_int8.onnx")
    with serve(tmp_path / "hub", licence="cc-by-nc-4.0") as served:
        yield served


def run(*arguments: object, endpoint: str = NOBODY) -> subprocess.CompletedProcess[str]:
    # Found from any directory, also where the package is not installed.
    path = os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "semantic_video", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,  # a command that hangs fails
        stdin=subprocess.DEVNULL,
        env={**os.environ, "HF_ENDPOINT": endpoint, "PYTHONPATH": path},
    )


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    *_, last = done.stderr.strip().splitlines()
    assert last.startswith("semantic-video: ")
    for word in words:
        assert word in last


def test_list() -> None:
    rows = json.loads(run("models", "list", "--json", "--no-measure").stdout)
    assert [row["id"] for row in rows] == ["lite", *PRESETS]
    lite = rows[0]
    assert lite["here"]
    assert lite["size"] < 40_000_000
    assert not any(row["here"] for row in rows[1:])
    assert all(row["licence"] and row["dimension"] and row["size"] for row in rows)


def test_pull_then_use(hub: tuple[str, list[str]], own_directories: Path) -> None:
    endpoint, asked = hub
    refused = run("models", "pull", REPOSITORY, endpoint=endpoint)
    assert_refused(refused, "--yes")
    assert "licence of the weights: cc-by-nc-4.0" in refused.stderr
    assert not any("/resolve/" in line for line in asked), "fetched without a yes"

    done = run("models", "pull", REPOSITORY, "--yes", "--json", endpoint=endpoint)
    assert done.returncode == 0, done.stderr
    pulled = json.loads(done.stdout)
    assert pulled["revision"] == REVISION
    assert pulled["licence"] == "cc-by-nc-4.0"
    folder = Path(pulled["path"])
    assert folder.is_relative_to(own_directories)
    assert (folder / "onnx/vision_model.onnx").is_file()
    assert not (folder / "onnx/vision_model_int8.onnx").exists()
    assert not (folder / "a video of 40 GB.bin").exists()
    noted = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert (noted["repository"], noted["revision"]) == (REPOSITORY, REVISION)

    # From here on no hub is needed.
    checked = json.loads(run("models", "check", REPOSITORY, "--json").stdout)
    assert checked["id"] == REPOSITORY
    assert checked["dimension"] == DIMENSION
    assert checked["licence"] == "cc-by-nc-4.0"
    assert checked["image_ms"] > 0
    assert checked["text_ms"] > 0
    assert_refused(run("models", "check", f"{REPOSITORY}:int8"), "models pull", ":int8")


def test_what_was_pulled_stays_pinned(hub: tuple[str, list[str]]) -> None:
    endpoint, asked = hub
    assert run("models", "pull", REPOSITORY, "--yes", endpoint=endpoint).returncode == 0
    asked.clear()
    again = run("models", "pull", f"{REPOSITORY}:int8", "--yes", endpoint=endpoint)
    assert again.returncode == 0, again.stderr
    assert any(f"/revision/{REVISION}" in line for line in asked)
    assert not any("/revision/main" in line for line in asked)


def test_check_holds_small_precisions_against_float32(tmp_path: Path) -> None:
    root = clip_folder(tmp_path / "m")
    nodes, weights, item, output = image_nodes()
    save_graph(root / "onnx/vision_model_int8.onnx", (nodes, weights[:1], item, output))
    save_graph(root / "onnx/text_model_int8.onnx", text_nodes("mean", TensorProto.INT64, "length"))
    checked = json.loads(run("models", "check", f"{root}:int8", "--json").stdout)
    assert checked["cosine_to_fp32"] < 0.98  # its texts are pooled differently
    assert "too far off" in run("models", "check", f"{root}:int8").stdout


def test_own_pictures_to_judge_against(tmp_path: Path, own_directories: Path) -> None:
    model, pictures = clip_folder(tmp_path / "m"), tmp_path / "pictures"
    (pictures / "more").mkdir(parents=True)
    for seed in range(120):
        folder = pictures / "more" if seed % 2 else pictures
        (folder / f"{seed}.jpg").write_bytes(jpeg_bytes(picture(seed, 32, 24)))
    (pictures / "broken.jpg").write_bytes(b"no picture")
    (pictures / "notes.txt").write_text("no picture either")

    encoder = load_encoder(str(model))
    nothing = References.of(encoder, lambda name, key, make: make())
    assert len(nothing.pictures) == 0
    done = run("models", "references", model, pictures, "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["pictures"] == 120
    assert Path(made["path"]).is_relative_to(own_directories)
    judged = References.of(encoder, lambda name, key, make: make())
    expected = encoder.encode_images([read_image(pictures / "0.jpg")])[0]
    assert judged.pictures[0] == pytest.approx(expected, abs=0.01)
    assert judged.level(encoder.encode_texts(["a dog"])) > 0
    assert_refused(run("models", "references", model, model), "at least 100")


@pytest.mark.parametrize("name", ["clip-vit-b-32", "someone/else"])
def test_nobody_answers(name: str) -> None:
    done = run("models", "pull", name, "--yes")
    assert_refused(done, NOBODY, "folder of a local copy", "built-in model")


@pytest.mark.parametrize("refused", ["/api/", "/resolve/"])
def test_a_hub_that_refuses_was_reached(tmp_path: Path, refused: str) -> None:
    clip_folder(tmp_path / "hub" / REPOSITORY)
    with serve(tmp_path / "hub", refused=refused) as (endpoint, _):
        done = run("models", "pull", REPOSITORY, "--yes", endpoint=endpoint)
    assert_refused(done, f"{endpoint} answered 418", REPOSITORY, "built-in model")


def test_no_such_model(hub: tuple[str, list[str]]) -> None:
    done = run("models", "pull", "someone/else", "--yes", endpoint=hub[0])
    assert_refused(done, "no model 'someone/else'", "built-in model")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "lite", "--device", "cuda"), ("always runs on the CPU",)),
        (("check", ""), ("unknown model ''",)),
        (("pull", "lite"), ("built in",)),
        (("check", "lite:int8"), ("one precision", "without :int8")),
        (("references", "lite", "."), ("ships its own",)),
        (("references", "no/such/place", "."), ("models pull no/such/place",)),
        (("pull", "clip-vit-b32"), ("unknown model", "clip-vit-b-32")),
        (("check", "clip-vit-b-32"), ("models pull clip-vit-b-32", "--model lite")),
        (("check", "no/such/place"), ("models pull no/such/place",)),
        (("check", "nothing"), ("unknown model 'nothing'",)),
    ],
)
def test_what_cannot_be_done(arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert_refused(run("models", *arguments), *words)


def test_telemetry_is_off(hub: tuple[str, list[str]]) -> None:
    pytest.importorskip("torch", reason="the client tells which libraries there are, if any")
    endpoint, asked = hub
    assert run("models", "pull", REPOSITORY, "--yes", endpoint=endpoint).returncode == 0
    assert asked
    assert not any("torch" in line for line in asked)


def test_somebody_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = run("models", "pull", "clip-vit-b-32", "--yes", endpoint=endpoint)
    assert_refused(done, endpoint, "folder of a local copy", "built-in model")
