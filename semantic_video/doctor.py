"""What ``semantic-video doctor`` looks at: the installation, the model, codecs, the library."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from semantic_video import __version__
from semantic_video.config import Config
from semantic_video.encoders import load_encoder
from semantic_video.errors import SemanticVideoError
from semantic_video.library import Finding, Library, default_library_path

_CORE = ("av", "numpy", "onnxruntime", "tokenizers", "pylance", "pyarrow", "scikit-learn")
# Packages that something optional needs, and what for.
_OPTIONAL = {
    "matplotlib": "draws timelines",
    "transformers": "runs checkpoints of larger models, with torch",
    "torch": "trains models; not needed to search",
    "faster-whisper": "recognises speech, with a model that you name",
    "rapidocr": "reads text in the picture",
    "scenedetect": "PySceneDetect, to compare with",
}
# The codecs people's films have; FFmpeg's wheel decodes far more.
_CODECS = ("h264", "hevc", "av1", "vp8", "vp9", "mpeg2video", "mpeg4", "mjpeg", "prores")


def examine(config: Config) -> list[Finding]:
    """Findings in an order for reading, each with what to do where it is not well."""
    return [
        Finding(True, "semantic_video", f"{__version__}, in {Path(__file__).parent}"),
        *_installation(),
        *_model(config),
        _codecs(),
        _decoder(config),
        *_library(config),
        Finding(
            True,
            "network",
            "not used, but to download a model that you name (--model HUB_ID, models pull)",
        ),
    ]


def _installation() -> Iterator[Finding]:
    from semantic_video.utils.cores import available_cores

    cores = f"{available_cores()} of {os.cpu_count()} cores for us"
    yield Finding(True, "Python", f"{platform.python_version()} on {platform.platform()}, {cores}")
    missing = [name for name in _CORE if _version(name) is None]
    installed = ", ".join(f"{name} {_version(name)}" for name in _CORE if name not in missing)
    if missing:
        yield Finding(
            False,
            "packages",
            f"missing: {', '.join(missing)}",
            f"{Path(sys.executable).name} -m pip install {' '.join(missing)}",
        )
    else:
        yield Finding(True, "packages", installed)
    for name, use in _OPTIONAL.items():
        version = _version(name)
        yield Finding(
            True,
            f"optional {name}",
            f"{version or 'not installed'} ({use})",
            "" if version else f"to have it: pip install {name}",
        )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _model(config: Config) -> Iterator[Finding]:
    try:
        encoder = load_encoder(config.encoder.model)
        encoder.encode_texts(["a test"])
    except SemanticVideoError as error:
        yield Finding(False, "model", str(error), "choose another with --model, or reinstall")
        return
    yield Finding(
        True,
        "model",
        f"{encoder.model_id}, {encoder.dimension} dimensions, version {encoder.fingerprint}",
    )
    yield Finding(True, "licence of the model", encoder.licence)


def _codecs() -> Finding:
    import av

    missing = [name for name in _CODECS if not _decodes(name)]
    state = f"FFmpeg {av.ffmpeg_version_info} decodes " + ", ".join(
        name for name in _CODECS if name not in missing
    )
    if not missing:
        return Finding(True, "codecs", state)
    return Finding(
        False,
        "codecs",
        f"{state}; not {', '.join(missing)}",
        "reinstall PyAV from its wheel: pip install --force-reinstall --only-binary av av",
    )


def _decodes(name: str) -> bool:
    from av.codec import Codec
    from av.codec.codec import UnknownCodecError

    try:
        Codec(name, "r")
    except UnknownCodecError:
        return False
    return True


def _decoder(config: Config) -> Finding:
    from semantic_video.utils.video_utils.hardware import why_unusable

    reason, asked = why_unusable(), config.reading.decoder
    if reason is None:
        return Finding(True, "decoding", f"a CUDA device can decode (reading.decoder: {asked})")
    state = f"on the CPU: no CUDA device can decode ({reason})"
    return Finding(
        asked != "cuda", "decoding", state, "" if asked != "cuda" else "set reading.decoder: auto"
    )


def _library(config: Config) -> Iterator[Finding]:
    path = Path(config.library) if config.library else default_library_path()
    if _is_missing_or_empty(path):
        yield Finding(True, "library", f"none yet at {path}", "make one: semantic-video index PATH")
        return
    try:
        yield from Library(path).health()
    except SemanticVideoError as error:  # says what to do
        yield Finding(False, "library", str(error))


def _is_missing_or_empty(directory: Path) -> bool:
    try:
        with os.scandir(directory) as entries:
            return next(entries, None) is None
    except FileNotFoundError:
        return True
    except OSError:  # no permission, or no directory: the library says so
        return False
