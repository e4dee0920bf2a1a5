"""The examples, run as their users run them."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from semantic_video import SemanticVideoProcessor
from tests.media import Shot, render, write_video

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_the_basic_example_says_the_products_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEMANTIC_VIDEO_LIBRARY", str(tmp_path / "library"))
    film = str(write_video(tmp_path / "film.mp4", render([Shot(1, 2), Shot(2, 2), Shot(1, 2)])))
    monkeypatch.setattr(sys, "argv", ["basic_usage.py", film, "a dog", "a colourful pattern"])
    runpy.run_path(str(EXAMPLES / "basic_usage.py"), run_name="__main__")
    said = capsys.readouterr().out
    processor = SemanticVideoProcessor(
        video_path=film, num_clusters=10, memory_size=1000, clustering_method="kmeans"
    )
    processor.build_semantic_memory()
    for query in ("a dog", "a colourful pattern"):
        verdict = processor.query_semantic_memory(query).verdict
        assert f"\n{query}: {verdict}\n" in said
