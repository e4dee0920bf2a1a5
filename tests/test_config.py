"""Options come from one YAML file and are overridden by file, environment and arguments."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from semantic_video.config import default_config, load_config, options_hash
from semantic_video.errors import ConfigError

DEFAULTS = Path(__file__).parents[1] / "semantic_video" / "configs" / "default_config.yaml"


def test_every_option_of_the_file_is_read_and_has_a_comment() -> None:
    lines = DEFAULTS.read_text(encoding="utf-8").splitlines()
    values = yaml.safe_load("\n".join(lines))
    config = default_config()
    for section, options in values.items():
        if not isinstance(options, dict):
            assert getattr(config, section) == options
            continue
        for name, value in options.items():
            assert getattr(getattr(config, section), name) == value
            row = next(i for i, line in enumerate(lines) if line.startswith(f"  {name}:"))
            above = lines[row - 1].strip()
            assert above.startswith("#") or ":" in above, f"{section}.{name} has no comment"


def test_file_then_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("retrieval:\n  k: 3\n  top_frames: 2\nlibrary: /from/file\n", encoding="utf-8")
    monkeypatch.setenv("SEMANTIC_VIDEO_RETRIEVAL__K", "7")
    monkeypatch.setenv("SEMANTIC_VIDEO_LIBRARY", "/from/environment")
    config = load_config(file)
    assert config.retrieval.k == 7
    assert config.retrieval.top_frames == 2
    assert config.library == "/from/environment"
    assert default_config().retrieval.k == 10


def test_off_is_a_word_also_where_yaml_takes_it_for_false(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("transcripts:\n  ocr: off\n", encoding="utf-8")
    monkeypatch.setenv("SEMANTIC_VIDEO_TRANSCRIPTS__SPEECH", "off")
    config = load_config(file)
    assert (config.transcripts.ocr, config.transcripts.speech) == ("off", "off")
    file.write_text("reading:\n  depth: off\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="depth cannot be False"):
        load_config(file)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("retrival:\n  k: 3", "did you mean 'retrieval'"),
        ("retrieval:\n  topframes: 3", "did you mean 'retrieval.top_frames'"),
        ("retrieval:\n  k: many", "use a whole number"),
        ("retrieval:\n  k: true", "use a whole number"),
        ("clustering:\n  method: kmean", "use kmeans or spectral"),
        ("clustering:\n  num_clusters: several", "a whole number or auto"),
        ("retrieval: 3", "is a section"),
        ("retrieval:\n  k: 0", "use 1 or more"),
        ("retrieval:\n  entry_weight: .nan", "use 0 to 1"),
        ("sampling:\n  interval_s: -1", "use 0.01 or more"),
        ("segmentation:\n  max_scene_s: 0", "use 1 or more"),
        ("encoder:\n  batch_size: 0", "use 1 or more"),
        ("clustering:\n  seed: -1", "use 0 to 4294967295"),
        ("num_clusters: 3", "did you mean 'clustering.num_clusters'"),
        ("colour: 3", "the nearest is '"),
        ("- a\n- b", "expected"),
        ("a: [", "not valid YAML"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_environment_variable_names_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMANTIC_VIDEO_ENCODER__MODLE", "lite")
    with pytest.raises(ConfigError, match=r"encoder\.model"):
        load_config()


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        load_config(tmp_path / "none.yaml")


def test_hash_names_options() -> None:
    config = default_config()
    changed = config.override({"sampling": {"interval_s": 3}}, source="test")
    assert options_hash(config.sampling) == options_hash(default_config().sampling)
    assert options_hash(config.sampling) != options_hash(changed.sampling)
    assert changed.sampling.interval_s == 3.0


def test_every_number_has_a_range() -> None:
    """Nothing that is far below what makes sense gets through, nor what is not a number."""
    config = default_config()
    for section in ("encoder", "segmentation", "sampling", "clustering", "memory", "retrieval"):
        for name, value in asdict(getattr(config, section)).items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                for bad in (-1000, float("nan"), float("inf")):
                    with pytest.raises(ConfigError):
                        config.override({section: {name: bad}}, source="test")


def test_what_was_given_is_remembered(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("clustering:\n  num_clusters: auto\nlibrary: here\n", encoding="utf-8")
    config = load_config(file)
    assert config.given == {"clustering.num_clusters", "library"}
    assert config.library == str(tmp_path / "here"), "relative to the file"
    assert config.override({"retrieval": {"k": 3}}, "x").given > config.given
