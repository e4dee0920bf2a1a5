"""Speech recognition with faster-whisper (extra ``speech``).

A model is asked for by name or folder (``transcripts.speech_model``); nothing is downloaded unless
a hub id is named there.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from semantic_video.errors import EncoderError
from semantic_video.records import Line
from semantic_video.utils.cores import available_cores

INSTALL = "pip install 'semantic-video[speech]'"
# Whisper makes up words where nobody speaks; beyond these it says itself that it does.
_NO_SPEECH = 0.6
_LEAST_LOG_PROBABILITY = -1.0


def can_recognise() -> bool:
    """Whether the extra is installed; nothing is imported to know it."""
    return find_spec("faster_whisper") is not None


def model_mark(model: str, language: str | None) -> str:
    """Changes whenever another model, or the same in another language, would write other words."""
    folder = Path(model).expanduser()
    weights = folder / "model.bin"
    version = str(weights.stat().st_size) if weights.is_file() else ""
    return f"{model} {version} {language or 'auto'}"


def recognise(
    film: Path,
    model: str,
    *,
    language: str | None = None,
    device: str = "auto",
    start_s: float = 0.0,
    on_time: Callable[[float], None] = lambda time_s: None,
) -> tuple[Line, ...]:
    """What is said in the first audio stream of ``film``, in order of time.

    Args:
        model: a folder with a faster-whisper (CTranslate2) model, or a name or hub id that
            faster-whisper knows.
        language: two letters, such as "en"; None lets the model tell.
        start_s: where the picture begins in the film's own clock.
        on_time: called with the seconds that are done.

    Raises:
        EncoderError: the extra or the model is missing, or the audio cannot be read; the message is
            one line that says what to do.
    """
    if not can_recognise():
        raise EncoderError(f"speech is not recognised: {INSTALL}")
    from faster_whisper import WhisperModel

    folder = Path(model).expanduser()
    if model.startswith(("/", "~", ".")) and not folder.is_dir():
        raise EncoderError(
            f"no folder with a speech model at {model}: mend transcripts.speech_model"
        )
    try:
        whisper = WhisperModel(
            str(folder) if folder.is_dir() else model,
            device=device if device in ("cpu", "cuda") else "auto",
            compute_type="default",
            cpu_threads=available_cores(),
        )
    except Exception as error:  # every library below has errors of its own for a missing model
        raise EncoderError(
            f"speech model {model!r} cannot be loaded ({_first_line(error)}): set "
            "transcripts.speech_model to a folder with a faster-whisper model"
        ) from error
    try:
        segments, _ = whisper.transcribe(
            os.fspath(film),
            language=language,
            vad_filter=True,
            # A wrong line must not be carried on through the rest of the film.
            condition_on_previous_text=False,
        )
        lines = []
        for segment in segments:
            on_time(segment.end)
            text = " ".join(segment.text.split())
            made_up = (
                segment.no_speech_prob > _NO_SPEECH and segment.avg_logprob < _LEAST_LOG_PROBABILITY
            )
            if text and not made_up:
                begin, end = max(0.0, segment.start - start_s), segment.end - start_s
                confidence = round(min(1.0, math.exp(segment.avg_logprob)), 3)
                lines.append(Line(begin, max(begin, end), text, "speech", confidence))
    except Exception as error:
        raise EncoderError(
            f"the speech in {film.name} cannot be recognised ({_first_line(error)}): put a "
            "subtitle file beside the film instead"
        ) from error
    return tuple(lines)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
