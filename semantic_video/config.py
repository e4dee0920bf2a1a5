"""Every option of the product, read from ``configs/default_config.yaml``.

The YAML file is the one place where defaults live. A ``--config FILE`` of the same shape overrides
it, then environment variables (``SEMANTIC_VIDEO_RETRIEVAL__K=20`` sets ``retrieval.k``), then what
is passed in code or on the command line. An unknown key is an error that names the nearest.
This module imports nothing else of the package but ``errors``.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from semantic_video.errors import ConfigError

ENVIRONMENT_PREFIX = "SEMANTIC_VIDEO_"


@dataclass(frozen=True, slots=True)
class EncoderOptions:
    """Which model turns pictures and texts into vectors, and how it is run."""

    model: str
    batch_size: int
    threads: int | None


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """Which frames of a film are decoded."""

    every_frame: bool


@dataclass(frozen=True, slots=True)
class SegmentationOptions:
    """How shots and scenes are found; see ``scene_segmentation``.

    Changes are mean absolute differences of small pictures over luma and chroma, 0 to 255.
    """

    cut_change: float
    cut_ratio: float
    fade_change: float
    fade_bend: float
    still_change: float
    doubt_change: float
    min_shot_s: float
    max_scene_s: float
    merge_similarity: float


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """Which decoded frames are encoded."""

    first_offset_s: float
    interval_s: float
    static_interval_s: float
    static_change: float
    jump: float


@dataclass(frozen=True, slots=True)
class ClusteringOptions:
    """How scenes are grouped across the timeline."""

    method: Literal["kmeans", "spectral"]
    num_clusters: int | Literal["auto"]
    seed: int


@dataclass(frozen=True, slots=True)
class MemoryOptions:
    """The budget of a video's memory."""

    memory_size: int
    exemplars: int
    thumbnails: bool


@dataclass(frozen=True, slots=True)
class RetrievalOptions:
    """How a query is matched against the memory."""

    k: int
    pooling: Literal["max", "mean", "top"]
    top_frames: int
    entry_weight: float
    cluster_weight: float
    probe_entries: int
    probe_share: float


@dataclass(frozen=True, slots=True)
class Config:
    """All options, one attribute per section of the YAML file."""

    library: str | None
    encoder: EncoderOptions
    reading: ReadingOptions
    segmentation: SegmentationOptions
    sampling: SamplingOptions
    clustering: ClusteringOptions
    memory: MemoryOptions
    retrieval: RetrievalOptions

    def override(self, values: Mapping[str, Any], source: str) -> Config:
        """A copy with ``values`` (nested mapping, same shape as the file) put in.

        Raises:
            ConfigError: an unknown key or a value of the wrong kind; ``source`` says where from.
        """
        merged: Config = _override(self, values, source, path="")
        return merged


def load_config(path: str | Path | None = None) -> Config:
    """Defaults, overridden by the YAML file at ``path`` and by the environment.

    Raises:
        ConfigError: the file is missing or not YAML, or a key or value is wrong.
    """
    config = default_config()
    if path is not None:
        config = config.override(_read_yaml(Path(path)), source=str(path))
    for name, values in _environment_overrides(config):
        config = config.override(values, source=name)
    return config


@cache
def default_config() -> Config:
    """The options as ``configs/default_config.yaml`` states them."""
    text = (
        resources.files("semantic_video.configs")
        .joinpath("default_config.yaml")
        .read_text(encoding="utf-8")
    )
    config: Config = _build(Config, _parse_yaml(text, "default_config.yaml"))
    return config


def options_hash(*parts: Any) -> str:
    """A short stable hash of option sections and plain values: names what a stage was made with."""
    plain = [asdict(part) if is_dataclass(part) else part for part in parts]  # type: ignore[arg-type]
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _parse_yaml(text: str, source: str) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C loader, where PyYAML has it
    try:
        values = yaml.load(text, Loader=loader)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        raise ConfigError(f"{source}{line}: not valid YAML; compare it with `doctor`") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{source}: expected `section:` with `option: value` lines below it")
    return values


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise ConfigError(f"cannot read the configuration {path}: {reason}") from error
    return _parse_yaml(text, str(path))


def _environment_overrides(config: Config) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in sorted(os.environ):
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        section, _, option = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        value = os.environ[name]
        if section == "library":
            # A path stays text even where it looks like a number.
            yield name, {"library": value or None}
            continue
        parsed = _parse_yaml(f"value: {value}" if value else "value: null", name)["value"]
        yield name, {section: {option: parsed} if option else parsed}


def _build(kind: type, values: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    arguments = {
        field.name: (
            _build(hints[field.name], values[field.name])
            if is_dataclass(hints[field.name])
            else values[field.name]
        )
        for field in fields(kind)
    }
    return kind(**arguments)


def _override(section: Any, values: Mapping[str, Any], source: str, path: str) -> Any:
    hints = get_type_hints(type(section))
    changes: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{path}{key}"
        if key not in hints:
            known = [f"{path}{field}" for field in hints]
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise ConfigError(f"{source}: unknown option {name!r}; did you mean {nearest!r}?")
        current = getattr(section, key)
        if is_dataclass(current):
            if not isinstance(value, Mapping):
                raise ConfigError(f"{source}: {name!r} is a section; write its options below it")
            changes[key] = _override(current, value, source, f"{name}.")
        else:
            changes[key] = _checked(value, hints[key], name, source)
    return replace(section, **changes)


def _checked(value: Any, hint: Any, name: str, source: str) -> Any:
    choices = list(get_args(hint)) if get_origin(hint) is not Literal else [hint]
    if not choices:
        choices = [hint]
    for choice in choices:
        if get_origin(choice) is Literal:
            if value in get_args(choice):
                return value
        elif choice is type(None):
            if value is None:
                return None
        elif choice is float:
            if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value)
        elif choice is int:
            if isinstance(value, int) and not isinstance(value, bool):
                return value
        elif isinstance(value, choice):
            return value
    raise ConfigError(f"{source}: {name} cannot be {value!r}; {_expected(choices)}")


def _expected(choices: list[Any]) -> str:
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    words: list[str] = []
    for choice in choices:
        if get_origin(choice) is Literal:
            words += [str(option) for option in get_args(choice)]
        else:
            words.append(names.get(choice, "nothing (null)"))
    return "use " + " or ".join(words)
