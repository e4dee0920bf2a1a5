"""What the doctor finds of the library, and whether it is well."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from semantic_video.config import load_config
from semantic_video.doctor import examine
from semantic_video.library import Finding, Library
from semantic_video.utils.video_utils.hardware import why_unusable
from tests.library_cases import make_memory, make_record


def about_library(path: Path) -> list[Finding]:
    """The findings that are not about the installation."""
    config = load_config(None).override({"library": str(path)}, source="the test")
    findings = examine(config)
    names = [finding.what for finding in findings]
    return findings[names.index("decoding") + 1 : names.index("network")]


@pytest.mark.skipif(why_unusable() is None, reason="there is a GPU")
@pytest.mark.parametrize(("decoder", "ok"), [("auto", True), ("cpu", True), ("cuda", False)])
def test_a_gpu_that_is_asked_for_and_not_there_is_not_well(decoder: str, ok: bool) -> None:
    config = load_config(None).override({"reading": {"decoder": decoder}}, source="the test")
    (found,) = (finding for finding in examine(config) if finding.what == "decoding")
    assert found.ok is ok
    assert "no CUDA device" in found.state


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir], ids=["missing", "empty"])
def test_no_library_yet_is_well(tmp_path: Path, make) -> None:
    make(tmp_path / "library")
    (found,) = about_library(tmp_path / "library")
    assert found.ok
    assert found.state.startswith("none yet at")


def test_a_sound_library_is_well_also_with_films_offline(tmp_path: Path) -> None:
    library = Library(tmp_path / "library", create=True)
    library.save(make_record(1), make_memory(1))
    found = about_library(library.path)
    assert all(finding.ok for finding in found)
    assert "films offline" in [finding.what for finding in found]


def test_a_damaged_video_is_not_well_and_the_advice_is_one(tmp_path: Path) -> None:
    library = Library(tmp_path / "library", create=True)
    saved = library.save(make_record(1), make_memory(1))
    shutil.rmtree(library.path / "entries_16.lance")
    (found,) = (finding for finding in about_library(library.path) if not finding.ok)
    assert f"`semantic-video remove {saved.id}`" in found.state
    assert "delete" not in found.state + found.advice


@pytest.mark.parametrize(
    ("content", "remedy"),
    [("{", "restore a backup"), ('{"format_version": 99}', "upgrade this program")],
)
def test_a_library_that_cannot_be_opened_is_not_well(
    tmp_path: Path, content: str, remedy: str
) -> None:
    library = Library(tmp_path / "library", create=True)
    (library.path / "library.json").write_text(content, encoding="utf-8")
    (found,) = about_library(library.path)
    assert not found.ok
    assert remedy in found.state
    assert found.advice == ""
