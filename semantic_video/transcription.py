"""Bringing a video's lines up to date: passes of their own, beside those over the pictures.

Each pass notes in the record's ``stages`` what it was made with, so that one whose extra is
installed later runs at the next ``index``, alone, and nothing is read twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from semantic_video.config import Config
from semantic_video.encoders import ImageTextEncoder
from semantic_video.errors import EncoderError, LibraryError, VideoError
from semantic_video.library import Library, VideoRecord
from semantic_video.records import Line
from semantic_video.stored_memory import entries_from_stored, scene_spans

if TYPE_CHECKING:
    from semantic_video.perception import Progress

SPEECH, TEXT = "speech", "text"
# Raised when a pass makes other lines of the same film and options.
_VERSION = 1
_TEXT_VERSION = 2
_NONE = f"none:{_VERSION}"


@dataclass(frozen=True, slots=True)
class KnownLines:
    """The lines of a generation that is about to be replaced, and what they were made with."""

    lines: tuple[Line, ...] = ()
    stages: Mapping[str, str] | None = None


class Transcription:
    """Reads what is said and what is written in one film into the library."""

    def __init__(
        self,
        path: Path,
        config: Config,
        encoder: ImageTextEncoder,
        library: Library,
        progress: Progress,
        note: Callable[[str], None],
    ) -> None:
        self._path = path
        self._options = config.transcripts
        self._device = config.encoder.device
        self._encoder = encoder
        self._library = library
        self._progress = progress
        self._note = note

    def known(self, record: VideoRecord | None) -> KnownLines:
        """What is worth keeping when the film's pictures are indexed anew."""
        if record is None or not {SPEECH, TEXT}.intersection(record.stages):
            return KnownLines()
        return KnownLines(self._library.lines([record.id])[record.id], record.stages)

    def update(
        self, record: VideoRecord, known: KnownLines, index_seconds: float
    ) -> tuple[VideoRecord, tuple[str, ...]]:
        """Run the passes that are due; returns the record as it now is, and which passes ran.

        ``known`` is put in place first; ``index_seconds`` is the processor time that the pictures
        took, which bounds that for text. What goes wrong is said in a line, and never loses the
        pictures.
        """
        done = []
        for kind in (SPEECH, TEXT):
            if known.stages and kind in known.stages and kind not in record.stages:
                own = [line for line in known.lines if line.kind == kind]
                record = self._library.save_lines(
                    record.id, kind, own, known.stages[kind], record.generation, self._note
                )
        if not self._path.exists():
            return record, ()
        for kind, run in ((SPEECH, self._speech), (TEXT, self._text)):
            try:
                made = run(record, index_seconds)
            except (EncoderError, VideoError) as error:
                self._note(f"{self._path.name}: {error}")
                continue
            if made is None:
                continue
            lines, stage = made
            record = self._library.save_lines(
                record.id, kind, lines, stage, record.generation, self._note
            )
            if lines or stage != _NONE:
                done.append(kind)
        return record, tuple(done)

    def _speech(
        self, record: VideoRecord, index_seconds: float
    ) -> tuple[tuple[Line, ...], str] | None:
        """Lines of subtitles, else of speech recognition; None where nothing is to be done."""
        from semantic_video.transcripts import speech
        from semantic_video.transcripts.subtitles import find_subtitles, read_subtitles

        stored = record.stages.get(SPEECH)
        start_s = float(record.info.get("start_time_s", 0.0))
        # Beside the film that is indexed: of its copies elsewhere each may have others.
        place = Path(record.path) if os.path.exists(record.path) else self._path
        source = find_subtitles(place) if self._options.subtitles else None
        if source is not None:
            stage = f"subtitles:{_VERSION}:{source.mark}"
            if stage == stored:
                return None
            return _within(read_subtitles(source, start_s), record.duration_s), stage
        recognised = stored is not None and stored.startswith("speech:")
        has_audio = bool(record.info.get("audio_streams"))
        model = self._options.speech_model
        if has_audio and model and self._options.speech != "off" and not speech.can_recognise():
            raise EncoderError(f"what is said is not indexed: {speech.INSTALL}")
        if not has_audio or self._options.speech == "off" or not speech.can_recognise():
            return None if recognised or stored == _NONE else ((), _NONE)
        if model is None:
            if stored is None:
                self._note(
                    f"{self._path.name}: what is said is not indexed: set transcripts.speech_model "
                    "to a folder with a faster-whisper model, or put a subtitle file beside it"
                )
            return None if recognised or stored == _NONE else ((), _NONE)
        stage = f"speech:{_VERSION}:{speech.model_mark(model, self._options.speech_language)}"
        if stage == stored:
            return None
        lines = speech.recognise(
            self._path,
            model,
            language=self._options.speech_language,
            device=self._device,
            start_s=start_s,
            on_time=lambda time_s: self._progress("listening", time_s, record.duration_s),
        )
        return _within(lines, record.duration_s), stage

    def _text(
        self, record: VideoRecord, index_seconds: float
    ) -> tuple[tuple[Line, ...], str] | None:
        """Lines read in the picture; None where nothing is to be done."""
        from semantic_video.transcripts import screen_text

        mode = self._options.ocr
        everything = f"all:{_TEXT_VERSION}"
        stage = f"{mode}:{_TEXT_VERSION}"
        stored = record.stages.get(TEXT)
        if mode == "off" or stored in (stage, everything):
            return None
        if not screen_text.can_read():
            if mode == "all":
                raise EncoderError(f"text in the picture is not read: {screen_text.INSTALL}")
            return None
        memory = self._library.load_many([record.id]).get(record.id)
        if memory is None:
            raise LibraryError(f"{record.name} was removed meanwhile: index it again")
        likelihoods = screen_text.text_likelihood(
            self._encoder, entries_from_stored(memory).exemplar_vectors
        )
        scenes = screen_text.text_scenes(scene_spans(memory), memory.exemplar_times, likelihoods)
        share = self._options.ocr_share
        allowed = index_seconds * share / (1 - share) if mode == "auto" else None
        reading = screen_text.read_screen_text(
            self._path,
            scenes,
            allowed,
            lambda done: self._progress(
                "reading text", done * record.duration_s, record.duration_s
            ),
        )
        if not reading.complete:
            self._note(
                f"{self._path.name}: looked for text in the likeliest {reading.scenes_read} of "
                f"{reading.scenes} scenes, {reading.seconds:.0f} s of processor time beside "
                f"{index_seconds:.0f} s for the rest; `index --ocr all` takes the time for all"
            )
        return reading.lines, everything if reading.complete else stage


def _within(lines: tuple[Line, ...], duration_s: float) -> tuple[Line, ...]:
    """Lines inside the film: subtitles made for another cut, and speech models, go on behind it."""
    return tuple(
        replace(line, end_s=min(line.end_s, duration_s))
        for line in lines
        if line.start_s < duration_s
    )
