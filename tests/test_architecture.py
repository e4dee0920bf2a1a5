"""The shape of the package: data flows one way, and what is heavy is imported where it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import semantic_video

PACKAGE = Path(semantic_video.__file__).parent

# A module imports only from lines above its own; modules of one line may import one another.
LAYERS = (
    "errors records",
    "config",
    "utils",
    "encoders",
    "transcripts",
    "queries spelling words",
    "query_language",
    "scene_segmentation",
    "scene_encoder",
    "semantic_clustering",
    "memory_hierarchy",
    "moe_experts",
    "perception scene_stream",
    "library",
    "stored_memory indexing editing vocabulary",
    "expert_training grouping",
    "transcription",
    "scene_retrieval word_search",
    "signal_fusion adapted_search",
    "asking",
    "packed_search",
    "outputs",
    "search temporal_reasoning",
    "answering",
    "pictures",
    "indexer",
    "watching",
    "video_processor",
    "doctor",
    "cli",
    "__main__",
)
LAYER = {name: number for number, line in enumerate(LAYERS) for name in line.split()}
HEAVY = {"av", "lance", "matplotlib", "numpy", "onnxruntime", "pyarrow", "rich", "scipy"}
HEAVY |= {"sklearn", "tokenizers", "torch", "typer"}


def modules() -> Iterator[tuple[str, Path]]:
    """Each module of the package but its root, by the name of its top-level part."""
    for path in sorted(PACKAGE.rglob("*.py")):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if part not in {"__init__", "configs"}:
            yield part, path


def imported_parts(path: Path) -> Iterator[str]:
    """The top-level parts of the package that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            part = rest.partition(".")[0]
            if package == "semantic_video" and part in LAYER:
                yield part


def test_every_module_has_its_place_in_the_data_flow() -> None:
    assert {part for part, _ in modules()} == set(LAYER)


def test_modules_import_only_from_those_before_them() -> None:
    against_the_flow = [
        f"{path.relative_to(PACKAGE)} imports {other}"
        for part, path in modules()
        for other in imported_parts(path)
        if LAYER[other] > LAYER[part] or (LAYER[other] == LAYER[part] == 0)
    ]
    assert against_the_flow == []


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import semantic_video", HEAVY),
        ("import semantic_video.utils.visualization", HEAVY - {"numpy"}),
        ("import semantic_video.search", {"av", "matplotlib", "rich", "sklearn", "torch"}),
        ("import semantic_video.cli", HEAVY - {"typer"}),
    ],
)
def test_heavy_modules_are_imported_only_where_they_are_used(code: str, heavy: set[str]) -> None:
    report = f"{code}; import sys; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
