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


@pytest.mark.slow
def test_a_real_model_listens(tmp_path: Path) -> None:
    for name in ("faster_whisper", "ctranslate2", "transformers", "torch"):
        pytest.importorskip(name, reason="a model is made with faster-whisper, transformers, torch")
    from tests.transcripts.tiny_whisper import write_tiny_whisper, write_vowels

    model = write_tiny_whisper(tmp_path)
    told: list[float] = []
    sound = write_vowels(tmp_path / "vowels.wav")
    lines = speech.recognise(sound, str(model), language="en", on_time=told.append)
    assert lines, "the detector of voices must hear one, or nothing was put to the model"
    assert told == sorted(told)
    for line in lines:
        assert line.kind == "speech"
        assert line.text.strip()
        assert 0 <= line.start_s <= line.end_s
        assert 0 <= line.confidence <= 1
    later = speech.recognise(sound, str(model), language="en", start_s=100.0)
    assert all(line.start_s == 0 for line in later)
