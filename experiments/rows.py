"""The bench on which methods and ablations are compared: one film, its queries, one row a variant.

A row that was measured is not measured again: `Rows` keeps each as a line of a file, with what was
answered to every query and the commit it was measured at, and `finish` writes the table.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from experiments.figures import (
    RESAMPLES,
    Found,
    K,
    Values,
    all_figures,
    by_query,
    difference,
    mean_values,
)
from experiments.figures import search_values as values_of
from experiments.film_vectors import scene_entries
from experiments.manifest import Manifest, Query, load_manifest
from experiments.run_record import (
    commit,
    conditions,
    measured,
    plain_config,
    write_json,
    write_lines,
)
from semantic_video.config import Config, load_config, options_hash
from semantic_video.encoders import ImageTextEncoder, load_encoder
from semantic_video.errors import OutputError
from semantic_video.library import fingerprint
from semantic_video.memory_hierarchy import SceneEntries
from semantic_video.queries import encode_queries
from semantic_video.scene_retrieval import References, SceneRetriever
from semantic_video.utils.images import read_image

COMPARED = ("moment_R1", "moment_R5", "moment_mAP", "concept_recall@10", "image_recall@5")
"""Figures of which the difference from the first row is taken, query by query."""


@dataclass(eq=False)
class Bench:
    """A labelled film with its queries as vectors; what is made of it is kept in ``cache``."""

    film: Path
    manifest: Manifest
    config: Config
    encoder: ImageTextEncoder
    cache: Path
    _entries: dict[str, SceneEntries] = field(default_factory=dict)

    @classmethod
    def open(cls, labels: Path, video: Path | None, out: Path) -> Self:
        """The bench of one film, with the options as shipped.

        Raises:
            ManifestError: the labels are at fault.
            SemanticVideoError: the film cannot be read, or nothing be written into ``out``.
        """
        manifest, config = load_manifest(labels), load_config()
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write into {out}: {error.strerror}") from error
        encoder = load_encoder(config.encoder.model, threads=config.encoder.threads)
        return cls(video or manifest.film, manifest, config, encoder, out / "cache")

    @cached_property
    def queries(self) -> tuple[Query, ...]:
        """Those that pictures answer."""
        return self.manifest.of_type("moment", "concept", "absent", "image")

    @cached_property
    def query_vectors(self) -> NDArray[np.float32]:
        """Unit vectors [Q, D] of the queries."""
        return vectors_of(self.encoder, self.queries)

    @cached_property
    def references(self) -> References:
        """What scores are judged against."""
        return References.of(self.encoder, lambda name, key, make: make())

    @cached_property
    def key(self) -> str:
        """Changes where another film, other labels, options or weights would give other rows."""
        return options_hash(
            fingerprint(self.film),
            self.manifest.path.read_text(encoding="utf-8"),
            self.encoder.fingerprint,
            plain_config(self.config),
        )

    def entries(self, config: Config, windows_s: float | None = None) -> SceneEntries:
        """What the product keeps of the film with these options, see `scene_entries`.

        Raises ManifestError where the labels are of a film of another length.
        """
        key = options_hash(config.reading, config.segmentation, config.sampling, windows_s)
        if key not in self._entries:
            known = None if config == self.config else self.entries(self.config)
            self._entries[key] = scene_entries(
                self.film, self.encoder, config, self.cache, windows_s, known
            )
            end_s = max(span.end_s for own in self._entries[key].entry_spans for span in own)
            self.manifest.check_length(end_s)
        return self._entries[key]

    def answers(
        self, retriever: SceneRetriever, vectors: NDArray[np.float32] | None = None
    ) -> list[Found]:
        """What a retriever of the product answers to the queries."""
        vectors = self.query_vectors if vectors is None else vectors
        return [
            Found.of(retriever.search(vector, k=K, asked="picture" if query.image else "text"))
            for query, vector in zip(self.queries, vectors, strict=True)
        ]

    def scored(self, runs: Sequence[Sequence[Found]]) -> dict[str, Any]:
        """Figures of the answers of each seed, the compared ones also query by query."""
        values = mean_values([values_of(self.queries, answers) for answers in runs])
        return {
            "figures": all_figures(self.queries, runs),
            "seeds": len(runs),
            "values": {name: values[name] for name in COMPARED if name in values},
            "predictions": {
                query.id: found.as_dict()
                for query, found in zip(self.queries, runs[0], strict=True)
            },
        }


def at_least_one(text: str) -> int:
    """The value of ``--seeds``."""
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return count


def vectors_of(encoder: ImageTextEncoder, queries: Sequence[Query]) -> NDArray[np.float32]:
    """Unit vectors [Q, D] of queries in words or pictures."""
    texts = [query.text for query in queries if query.image is None]
    pictures = [read_image(query.image) for query in queries if query.image is not None]
    words = iter(encode_queries(encoder, texts)) if texts else iter(())
    seen = iter(encoder.encode_images(pictures)) if pictures else iter(())
    return np.array([next(words if query.image is None else seen) for query in queries])


class Rows:
    """Rows in a file, a line each; ``key`` says which of them still hold.

    Code that has changed since is not seen by the key: the row says the commit it was measured at.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path, self.key = path, key
        self._known = {row["key"]: row for row in _whole_lines(path)}
        self.rows: list[dict[str, Any]] = []

    @contextmanager
    def row(self, **spec: Any) -> Iterator[dict[str, Any] | None]:
        """A row to fill; None where it is there already."""
        key = options_hash(self.key, spec)
        if key in self._known:
            self.rows.append(self._known[key])
            yield None
            return
        row: dict[str, Any] = {"key": key, **spec, "commit": commit()}
        with measured() as took:
            yield row
        row["cpu_s"] = took["cpu_s"]
        with self.path.open("a", encoding="utf-8") as lines:
            # A line of its own, also behind one that a killed run left unfinished.
            print(f"\n{json.dumps(row)}", file=lines, flush=True)
        self.rows.append(row)
        print(_line(row), flush=True)


def _whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file; a line that was being written when a run was killed is none."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def finish(path: Path, what: str, bench: Bench, rows: Rows, seeds: int, **more: Any) -> None:
    """Write the table: every row with its figures, and what differs from the row it is held to.

    That is the row named in its ``against``, else the first of its budget. The commits of the
    conditions are those that rows were measured at.
    """
    table = []
    write_lines(path.with_suffix(".predictions.jsonl"), _predictions(rows.rows))
    for row in rows.rows:
        held_to = _held_to(row, rows.rows)
        kept = {k: v for k, v in row.items() if k not in ("key", "values", "predictions")}
        if held_to is not row:
            kept["difference"] = differences(row["values"], held_to["values"])
        table.append(kept)
    manifest = bench.manifest
    run = conditions(bench.config, seeds=list(range(seeds)), k=K, resamples=RESAMPLES)
    commits = dict.fromkeys(row.get("commit") or "unknown" for row in rows.rows)
    run["commit"] = ", ".join(commits)
    content = {
        "what": what,
        "film": {
            "name": manifest.video,
            "duration_s": manifest.duration_s,
            "queries": len(bench.queries),
        },
        "conditions": run,
        **more,
        "rows": table,
    }
    write_json(path, content)
    print(f"written to {path}")


def _predictions(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """What each row answered to each query, and what it counts for each figure."""
    for row in rows:
        which = {name: row[name] for name in ("name", "budget_kb") if name in row}
        values = by_query(row["values"])
        for query, found in row["predictions"].items():
            own = {"values": values[query]} if query in values else {}
            yield {**which, "id": query, **own, **found}


def differences(
    ours: Mapping[str, Values], theirs: Mapping[str, Values]
) -> dict[str, dict[str, float]]:
    """Of the compared figures, on the same queries."""
    return {name: difference(ours[name], theirs[name]) for name in ours if name in theirs}


def _held_to(row: Mapping[str, Any], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if "against" in row:
        return next(one for one in rows if one["name"] == row["against"])
    return next(one for one in rows if one.get("budget_kb") == row.get("budget_kb"))


def _line(row: Mapping[str, Any]) -> str:
    figures = row["figures"]
    shown = " ".join(
        f"{figures[name]['value']:.3f}" if name in figures else "    -" for name in COMPARED
    )
    where = f" at {row['budget_kb']} kB" if row.get("budget_kb") else ""
    return f"{shown}  {row['cpu_s']:6.1f} s  {row['name']}{where}"
