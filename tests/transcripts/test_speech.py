"""Speech recognition where the extra or its model is missing: one line that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from semantic_video.errors import EncoderError
from semantic_video.transcripts import speech


@pytest.mark.parametrize("model", ["/no/such/folder", "no-such-model-anywhere"])
def test_what_is_missing_is_one_line(tmp_path: Path, model: str) -> None:
    with pytest.raises(EncoderError) as caught:
        speech.recognise(tmp_path / "film.mp4", model)
    message = str(caught.value)
    assert "\n" not in message
    if speech.can_recognise():
        assert "transcripts.speech_model" in message
    else:
        assert "pip install 'semantic-video[speech]'" in message


def test_another_model_or_language_is_told_apart(tmp_path: Path) -> None:
    before = speech.model_mark(str(tmp_path), None)
    assert speech.model_mark(str(tmp_path), "en") != before
    (tmp_path / "model.bin").write_bytes(b"weights")
    assert speech.model_mark(str(tmp_path), None) != before
