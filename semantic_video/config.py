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
import math
import numbers
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from semantic_video.errors import ConfigError

ENVIRONMENT_PREFIX = "SEMANTIC_VIDEO_"
SECRETS = frozenset({"SEMANTIC_VIDEO_LLM_KEY"})
"""Variables of the environment that are no options: they are read where they are used."""


class Range(NamedTuple):
    """The finite values a number can take, both ends included."""

    low: float
    high: float = math.inf

    def admits(self, value: float) -> bool:
        """Whether ``value`` is finite and inside."""
        return math.isfinite(value) and self.low <= value <= self.high

    def __str__(self) -> str:
        return (
            f"{self.low:.10g} to {self.high:.10g}"
            if math.isfinite(self.high)
            else f"{self.low:.10g} or more"
        )


Count = Annotated[int, Range(1)]
Share = Annotated[float, Range(0, 1)]
Change = Annotated[float, Range(0, 255)]
Seconds = Annotated[float, Range(0)]
Interval = Annotated[float, Range(0.01)]


@dataclass(frozen=True, slots=True)
class EncoderOptions:
    """Which model turns pictures and texts into vectors, and how it is run."""

    model: str
    batch_size: Count
    threads: Count | None
    device: Literal["auto", "cpu", "cuda", "mps"]


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """Which frames of a film are decoded, and by what."""

    depth: Literal["quick", "auto", "full"]
    decoder: Literal["auto", "cpu", "cuda"]
    whole_below: Annotated[float, Range(0)]
    every_frame: bool


@dataclass(frozen=True, slots=True)
class SegmentationOptions:
    """How shots and scenes are found; see ``scene_segmentation``.

    Changes are mean absolute differences of small pictures over luma and chroma, 0 to 255.
    """

    cut_change: Change
    cut_ratio: Annotated[float, Range(1)]
    fade_change: Change
    fade_bend: Share
    still_change: Change
    doubt_change: Change
    min_shot_s: Seconds
    max_scene_s: Annotated[float, Range(1)]
    merge_similarity: Annotated[float, Range(-1, 2)]


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """Which decoded frames are encoded."""

    first_offset_s: Seconds
    interval_s: Interval
    interval_growth: Annotated[float, Range(1)]
    static_interval_s: Interval
    static_change: Change
    jump: Change


@dataclass(frozen=True, slots=True)
class ClusteringOptions:
    """How scenes are grouped across the timeline."""

    method: Literal["kmeans", "spectral", "hdbscan", "agglomerative"]
    num_clusters: Count | Literal["auto"]
    seed: Annotated[int, Range(0, 2**32 - 1)]


@dataclass(frozen=True, slots=True)
class MemoryOptions:
    """The budget of a video's memory."""

    memory_size: Count
    exemplars: Count
    spans: Count
    max_bytes: Annotated[int, Range(16384)] | None
    compression: Literal["none", "experts"]
    code_bytes: Annotated[int, Range(4, 1024)]
    reinforce: bool
    thumbnails: bool


@dataclass(frozen=True, slots=True)
class WatchingOptions:
    """How a video that need not end is watched."""

    publish_s: Seconds
    retry_s: Interval
    most_retry_s: Interval
    retries: Annotated[int, Range(0)] | None


@dataclass(frozen=True, slots=True)
class TranscriptOptions:
    """What is said and what is written in a film; see ``transcription``."""

    subtitles: bool
    speech: Literal["auto", "off"]
    speech_model: str | None
    speech_language: str | None
    ocr: Literal["auto", "all", "off"]
    ocr_share: Annotated[float, Range(0, 0.95)]


@dataclass(frozen=True, slots=True)
class RetrievalOptions:
    """How a query is matched against the memory."""

    k: Count
    pooling: Literal["max", "mean", "top"]
    top_frames: Count
    entry_weight: Share
    kin_weight: Share
    cluster_weight: Share
    theme_weight: Share
    join_depth: Annotated[float, Range(0)]
    join_likeness: Annotated[float, Range(-1, 2)]
    divide_contrast: Annotated[float, Range(0)]
    false_accept_rate: Annotated[float, Range(0.001, 0.5)]
    probe_scenes: Count
    pack_above_scenes: Count

    @property
    def own_weight(self) -> float:
        """Share of a scene in its own score, beside what supports it."""
        return 1 - self.kin_weight - self.cluster_weight - self.theme_weight


@dataclass(frozen=True, slots=True)
class LanguageModelOptions:
    """A language model that may word answers; none unless an endpoint is named."""

    url: str | None
    model: str | None
    images: bool
    timeout_s: Annotated[float, Range(0.1, 3600)]


@dataclass(frozen=True, slots=True)
class PaceOptions:
    """How much of the machine indexing takes; see ``utils.pace``."""

    cpu: Annotated[float, Range(0.01, 1)]
    nice: Annotated[int, Range(0, 19)]
    jobs: Annotated[int, Range(1, 64)]


@dataclass(frozen=True, slots=True)
class Config:
    """All options, one attribute per section of the YAML file."""

    library: str | None
    encoder: EncoderOptions
    pace: PaceOptions
    reading: ReadingOptions
    segmentation: SegmentationOptions
    sampling: SamplingOptions
    clustering: ClusteringOptions
    memory: MemoryOptions
    watching: WatchingOptions
    transcripts: TranscriptOptions
    retrieval: RetrievalOptions
    llm: LanguageModelOptions
    given: frozenset[str] = field(default=frozenset(), compare=False)
    """Dotted names of the options that something other than the default file has set."""

    def override(self, values: Mapping[str, Any], source: str) -> Config:
        """A copy with ``values`` (nested mapping, same shape as the file) put in.

        Raises:
            ConfigError: an unknown key, or a value of the wrong kind or out of range; ``source``
                says where from.
        """
        merged: Config = _override(self, values, source, path="")
        return replace(merged, given=self.given | set(_names(values)))


def load_config(path: str | Path | None = None) -> Config:
    """Defaults, overridden by the YAML file at ``path`` and by the environment.

    A relative ``library`` in a file is taken from where the file lies.

    Raises:
        ConfigError: the file is missing or not YAML, or a key or value is wrong.
    """
    config = default_config()
    if path is not None:
        path = Path(path).expanduser()
        values = _read_yaml(path)
        library = values.get("library")
        if isinstance(library, str):
            values["library"] = str(path.absolute().parent / Path(library).expanduser())
        config = config.override(values, source=str(path))
    for name, values in _environment_overrides():
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
        raise ConfigError(
            f"{source}{line}: not valid YAML; write `section:` and below it `  option: value`"
        ) from error
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


def _environment_overrides() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in sorted(os.environ):
        if not name.startswith(ENVIRONMENT_PREFIX) or name in SECRETS:
            continue
        section, _, option = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        text = os.environ[name]
        if section == "library":
            # A path stays text even where it looks like a number.
            yield name, {"library": str(Path(text).expanduser()) if text else None}
            continue
        value = _scalar(text)
        yield name, {section: {option: value} if option else value}


def _scalar(text: str) -> Any:
    """A value as YAML reads it; text that is no YAML stays text."""
    import yaml

    try:
        return yaml.safe_load(text) if text else None
    except yaml.YAMLError:
        return text


def _names(values: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _names(value, f"{path}{key}.")
        else:
            yield f"{path}{key}"


def _build(kind: type, values: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    arguments = {
        option.name: (
            _build(hints[option.name], values[option.name])
            if is_dataclass(hints[option.name])
            else values[option.name]
        )
        for option in fields(kind)
        if option.name != "given"
    }
    return kind(**arguments)


def _override(section: Any, values: Mapping[str, Any], source: str, path: str) -> Any:
    hints = get_type_hints(type(section), include_extras=True)
    hints.pop("given", None)
    changes: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{path}{key}"
        if key not in hints:
            raise ConfigError(f"{source}: unknown option {name!r}; {_nearest(name)}")
        current = getattr(section, key)
        if is_dataclass(current):
            if value is None:  # a section whose options are all commented out
                continue
            if not isinstance(value, Mapping):
                raise ConfigError(f"{source}: {name!r} is a section; write its options below it")
            changes[key] = _override(current, value, source, f"{name}.")
        else:
            changes[key] = _checked(value, hints[key], name, source)
    return replace(section, **changes)


def _nearest(name: str) -> str:
    """A hint at the option that was probably meant."""
    default = default_config()
    known = ["library"]
    for section in fields(Config):
        options = getattr(default, section.name)
        if is_dataclass(options):
            known += [
                section.name,
                *(f"{section.name}.{option.name}" for option in fields(options)),
            ]
    last = name.rpartition(".")[2]
    by_last = {option.rpartition(".")[2]: option for option in reversed(known)}
    if last in by_last:
        return f"did you mean {by_last[last]!r}?"
    near = difflib.get_close_matches(name, known, n=1)
    near = near or [by_last[word] for word in difflib.get_close_matches(last, by_last, n=1)]
    if near:
        return f"did you mean {near[0]!r}?"
    # Too far to be what was meant, but a start.
    farther = difflib.get_close_matches(last, by_last, n=1, cutoff=0.0)
    return f"the nearest is {by_last[farther[0]]!r}, and default_config.yaml lists all"


def _checked(value: Any, hint: Any, name: str, source: str) -> Any:
    choices = [hint] if get_origin(hint) in (Literal, Annotated) else get_args(hint) or [hint]
    for choice in choices:
        kind, limits = (
            (get_args(choice)[0], get_args(choice)[1])
            if get_origin(choice) is Annotated
            else (choice, None)
        )
        if get_origin(kind) is Literal:
            if value is False and "off" in get_args(kind):
                return "off"  # which YAML 1.1 reads as false, unless it is quoted
            if value in get_args(kind):
                return value
            continue
        number = kind in (int, float) and not isinstance(value, bool)
        if number and isinstance(value, numbers.Integral if kind is int else numbers.Real):
            if limits is not None and not limits.admits(value):
                raise ConfigError(f"{source}: {name} cannot be {value}; use {limits}")
            return kind(value)
        if kind not in (int, float) and isinstance(value, kind):
            return value
    raise ConfigError(f"{source}: {name} cannot be {value!r}; {_expected(choices)}")


def _expected(choices: Any) -> str:
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    words: list[str] = []
    for choice in choices:
        kind = get_args(choice)[0] if get_origin(choice) is Annotated else choice
        if get_origin(kind) is Literal:
            words += [str(option) for option in get_args(kind)]
        else:
            words.append(names.get(kind, "nothing (null)"))
    return "use " + " or ".join(words)
