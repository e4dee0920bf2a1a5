"""Subtitles that come with a film: files beside it, then streams inside it.

FFmpeg reads every format into ASS events, so that one piece of code cleans them. Pictures of text
(PGS, DVD subtitles) are left alone.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.subtitles.codeccontext import SubtitleCodecContext

from semantic_video.errors import VideoError
from semantic_video.records import Line
from semantic_video.utils.video_utils.containers import open_local_file

# Suffix -> FFmpeg's name of the format.
_FORMATS = {".srt": "srt", ".vtt": "webvtt", ".ass": "ass", ".ssa": "ass"}
_TEXT_CODECS = frozenset(
    {"subrip", "srt", "text", "webvtt", "ass", "ssa", "mov_text", "microdvd", "sami", "ttml"}
)
_ENGLISH = frozenset({"en", "eng", "english"})
_MAX_BYTES = 50_000_000

_OVERRIDE = re.compile(r"\{[^{}]*\}")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_BREAK = re.compile(r"\\[Nnh]|\s")
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9]")


@dataclass(frozen=True, slots=True)
class SubtitleSource:
    """Where a film's subtitles are: a file beside it, or (``stream``) the film itself.

    ``mark`` changes whenever the words may have.
    """

    path: Path
    stream: int | None
    mark: str

    def __str__(self) -> str:
        if self.stream is None:
            return f"subtitles in {self.path.name}"
        return f"subtitles in stream {self.stream}"


def find_subtitles(film: Path) -> SubtitleSource | None:
    """The subtitles to use: the file named like the film, one in English, any other; else a stream.

    A file ``film.srt`` or ``film.LANGUAGE.srt`` belongs to ``film.mp4``. Of streams the one that
    the film marks as default comes first, then English, then any other; forced ones (foreign
    dialogue only) come last.
    """
    beside = sorted(_beside(film), key=lambda path: (*_preference(film, path), path.name))
    for path in beside:
        status = path.stat()
        return SubtitleSource(path, None, f"{path.name} {status.st_size} {status.st_mtime_ns}")
    try:
        with open_local_file(film) as container:
            streams = [
                stream
                for stream in container.streams.subtitles
                if stream.codec_context is not None
                and stream.codec_context.codec.name in _TEXT_CODECS
            ]
            if not streams:
                return None
            chosen = min(
                streams,
                key=lambda stream: (
                    bool(stream.disposition & stream.disposition.forced),
                    not stream.disposition & stream.disposition.default,
                    stream.language not in _ENGLISH,
                    stream.index,
                ),
            )
            return SubtitleSource(film, chosen.index, f"stream {chosen.index}")
    except FFmpegError:
        return None  # a film that cannot be opened is told by the reader


def read_subtitles(source: SubtitleSource, start_s: float = 0.0) -> tuple[Line, ...]:
    """Every line, in order of time; ``start_s`` is where the film begins in its own clock.

    Raises:
        VideoError: the file is no subtitle file; the message is one line.
    """
    try:
        if source.stream is not None:
            with open_local_file(source.path) as container:
                return _tidy(_events(container, source.stream), start_s)
        content = _as_utf8(source.path)
        form = _FORMATS[source.path.suffix.lower()]
        with av.open(io.BytesIO(content), mode="r", format=form) as container:
            lines = _tidy(_events(container, 0), 0.0)
    except (FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"{source.path} cannot be read as subtitles: mend it or take it away"
        ) from error
    if not lines:
        raise VideoError(f"{source.path} holds no subtitles: mend it or take it away")
    return lines


def plain_text(ass: str) -> str:
    """The words of an ASS event, or of its text: without styles, drawings and line breaks."""
    if _DRAWING.search(ass):
        return ""
    text = _TAG.sub("", _OVERRIDE.sub("", ass))
    return " ".join(_BREAK.sub(" ", text).split())


def _beside(film: Path) -> Iterator[Path]:
    try:
        names = list(film.parent.iterdir())
    except OSError:
        return
    for path in names:
        if path.suffix.lower() not in _FORMATS or not path.is_file():
            continue
        stem = path.name[: -len(path.suffix)]
        if stem == film.stem or stem == film.name or stem.startswith(f"{film.stem}."):
            yield path


def _preference(film: Path, path: Path) -> tuple[bool, bool, bool]:
    words = path.stem.removeprefix(film.stem).lower().split(".")
    exact = path.stem in (film.stem, film.name)
    return "forced" in words, not exact, not _ENGLISH.intersection(words)


def _as_utf8(path: Path) -> bytes:
    """A subtitle file in UTF-8, whatever common encoding it has."""
    content = path.read_bytes()[:_MAX_BYTES]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace").encode()
    try:
        return content.decode("utf-8-sig").encode()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace").encode()


def _events(container: InputContainer, index: int) -> Iterator[tuple[float, float, str]]:
    """(start_s, end_s, text) of each event; an end that is not given is the start."""
    stream = container.streams[index]
    decoder = cast(SubtitleCodecContext, stream.codec_context)
    for packet in container.demux(stream):
        if packet.pts is None or packet.size == 0 or packet.time_base is None:
            continue
        start_s = float(packet.pts * packet.time_base)
        end_s = start_s + float((packet.duration or 0) * packet.time_base)
        try:
            decoded = decoder.decode2(packet)
        except (FFmpegError, ValueError):
            continue  # one broken event is no reason to lose the others
        for event in decoded or ():
            ass = getattr(event, "ass", b"").decode("utf-8", errors="replace")
            # ReadOrder, Layer, Style, Name, three margins, Effect, Text.
            fields = ass.split(",", 8)
            yield start_s, end_s, plain_text(fields[-1])


def _tidy(events: Iterator[tuple[float, float, str]], start_s: float) -> tuple[Line, ...]:
    """Lines in order; events that say the same and touch (as karaoke does) are one."""
    lines: list[Line] = []
    for begin, end, text in sorted(events):
        begin, end = max(0.0, begin - start_s), end - start_s
        if not text or end < 0:
            continue
        last = lines[-1] if lines else None
        if last is not None and last.text == text and begin <= last.end_s + 0.1:
            lines[-1] = Line(last.start_s, max(last.end_s, end), text, "speech")
        else:
            lines.append(Line(begin, max(begin, end), text, "speech"))
    return tuple(lines)
