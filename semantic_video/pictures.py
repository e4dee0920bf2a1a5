"""From an indexed video to its pictures: gathers what `utils.visualization` draws."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from semantic_video.asking import Request
from semantic_video.config import Config
from semantic_video.errors import ConfigError, QueryError
from semantic_video.library import Library, VideoRecord
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.query_language import Count, Every, HowLong, Query, Term, parse
from semantic_video.records import Cluster, Line, Moment, Scene, Span
from semantic_video.scene_retrieval import Moments
from semantic_video.search import Searcher
from semantic_video.stored_memory import memory_from_stored
from semantic_video.utils import visualization
from semantic_video.utils.telling import clock, counted
from semantic_video.utils.visualization.stretches import clusters_of, rests_on

What = Literal["timeline", "map", "sheet", "themes", "memory", "experts", "query"]
KINDS: tuple[str, ...] = get_args(What)
_IN_REPORT: dict[str, What] = {
    "Themes": "themes",
    "Map": "map",
    "Memory": "memory",
    "Experts": "experts",
}
"""Pictures that a report holds beside its own timeline and contact sheet, by their titles."""
_LOSSES = {"balance": "load balance", "z": "router z-loss", "texts": "change of likeness to texts"}
"""What training calls some of its losses, for people."""
_WHOLE = {"themes": "themes", "memory": "the memory", "experts": "the experts"}
"""Pictures of a whole video alone, and what they show."""


@dataclass(frozen=True)
class Pictures:
    """Draws one video: its memory, and the small pictures that the library keeps of it."""

    record: VideoRecord
    memory: MemoryHierarchy
    thumbnails: Mapping[float, bytes]
    """Seconds -> JPEG; empty where the index was made without."""
    lines: tuple[Line, ...]
    """What was said and written, in order of time."""
    config: Config
    experts: bytes | None = None
    """What training left, as the library keeps it; None where nobody trained."""

    @classmethod
    def of(cls, library: Library, record: VideoRecord, config: Config) -> Pictures:
        """Those of a video of the library."""
        stored = library.load(record.id)
        return cls(
            record,
            memory_from_stored(stored, record),
            library.thumbnails(record.id),
            library.lines([record.id]).get(record.id, ()),
            config,
            library.experts([record.id]).get(record.id),
        )

    @cached_property
    def clusters(self) -> tuple[Cluster, ...]:
        """The clusters, with when each is on screen."""
        return self.memory.clusters()

    @cached_property
    def scenes(self) -> tuple[Scene, ...]:
        """The scenes in order of time."""
        return self.memory.scenes()

    @cached_property
    def colours(self) -> Mapping[int, str]:
        """The colour of each cluster, the same in every picture."""
        return visualization.cluster_colours(self.clusters)

    @property
    def duration_s(self) -> float:
        """To the end of the last scene."""
        return self.scenes[-1].end_s

    def draw(
        self,
        what: What,
        path: Path,
        *,
        query: str | None = None,
        window: Span | None = None,
        title: str | None = None,
    ) -> Path:
        """Draw one of `KINDS` and return its path; ``query`` belongs to "query".

        ``title`` stands above, the video's name by default.

        Raises:
            ConfigError: matplotlib is missing, the kind or the format is unknown, or ``window``
                lies outside or belongs to a picture that always shows the whole video.
            QueryError: no query for a picture of one, or no experts to show.
            OutputError: the file cannot be written.
        """
        name = self.record.name if title is None else title
        thumbnails = self.thumbnails
        if what not in KINDS:
            raise ConfigError(f"no picture is called {what!r}: there are {', '.join(KINDS)}")
        if window is not None and what in _WHOLE:
            raise ConfigError(
                f"--what {what} shows {_WHOLE[what]} of the whole video: leave --from and --to away"
            )
        if what == "query":
            return self.draw_query(query, path, window)
        if what == "timeline":
            return visualization.timeline(
                self.clusters,
                self.duration_s,
                path,
                title=name,
                window=window,
                thumbnails=thumbnails,
                marks=self.marks,
                colours=self.colours,
            )
        if what == "memory":
            return self._draw_memory(path, name)
        if what == "experts":
            return self._draw_experts(path, name)
        if what == "themes":
            return visualization.theme_tree(
                self.memory.themes(), self.clusters, self.duration_s, thumbnails, path, title=name
            )
        scenes, clusters = self.within(window)
        if what == "sheet":
            return visualization.sheet(
                clusters,
                scenes,
                thumbnails,
                path,
                title=name,
                window=None if window is None else self._shown(window),
                whole=self.clusters,
            )
        if window is not None and name:
            shown = self._shown(window)
            name = f"{name}, {clock(shown.start_s)} to {clock(shown.end_s)}"
        vectors = scene_vectors(self.memory, scenes)
        return visualization.scene_map(
            scenes, clusters, vectors, thumbnails, path, title=name, colours=self.colours
        )

    def draw_query(self, query: str | None, path: Path, window: Span | None = None) -> Path:
        """Draw how every moment answers a query."""
        query = _spelt_out(query)
        asked = parse(query)
        if isinstance(asked, Term):
            return self._draw_phrase(query, path, window)
        return self._draw_over_time(query, asked, path, window)

    def _draw_memory(self, path: Path, title: str) -> Path:
        """How the memory filled, what was merged and given up, and how full each tier is."""
        from semantic_video.memory_hierarchy.report import report_on

        account = report_on(self.memory)
        notes = [f"Given up: {gone.count} {gone.what} ({gone.why})." for gone in account.evicted]
        notes += [
            f"With {counted(other.memory_size, 'entry', 'entries')}: {other.what}, "
            f"likeness to these {other.likeness:.2f}."
            for other in account.other_budgets
            if other.likeness is not None and other.memory_size < len(self.memory)
        ]
        return visualization.memory_account(
            [
                [Span(span.start_s, span.end_s) for span in spans]
                for spans in self.memory.entries.entry_spans
            ],
            self.memory.memory_size,
            [
                visualization.TierUse(
                    tier.name, tier.entries, tier.budget_entries, tier.bytes, tier.budget_bytes
                )
                for tier in account.tiers
                if tier.budget_entries  # none for frames where no scene is open
            ],
            path,
            title=title,
            given_up={gone.what: gone.where for gone in account.evicted if gone.where},
            notes=notes,
        )

    def _draw_experts(self, path: Path, title: str) -> Path:
        """Which expert is at work when, how training went, and what held-out time says."""
        from semantic_video.moe_experts import overview_of
        from semantic_video.moe_experts.training import MIN_SCENES

        if self.experts is None:
            raise QueryError(
                f"{self.record.name} has no experts: train some with `semantic-video train`"
            )
        seen = overview_of(self.experts, self.record.id)
        notes = [
            f"{name.capitalize()}: {'on' if job['on'] else 'off'}; {job['reason']}.".replace(
                "off; switched off", "off"
            )
            for name, job in seen.jobs.items()
        ]
        count = len(seen.utilisation)
        if not count:
            few = counted(len(self.scenes), "scene")
            least = f"{MIN_SCENES} are needed, so that some can be held out"
            why = f": {few}, and {least}" if len(self.scenes) < MIN_SCENES else ""
            notes.insert(0, f"None were trained{why}.")
        return visualization.experts(
            self._expert_rows(seen.routing, seen.utilisation),
            self.duration_s,
            {_LOSSES.get(name, name): curve for name, curve in seen.losses.items()},
            seen.held_out,
            path,
            title=f"{title}: {counted(count, 'expert')}" if title else "",
            notes=notes,
        )

    def _expert_rows(
        self, routing: Mapping[int, int], utilisation: Sequence[float]
    ) -> list[visualization.ExpertRow]:
        """A row for each cluster that experts see most of, and one for each that sees nothing here.

        Experts share a row where their clusters were joined by hand.
        """
        scenes: dict[int, list[Scene]] = {}
        for scene in self.scenes:
            if scene.id in routing:
                scenes.setdefault(routing[scene.id], []).append(scene)
        of_cluster: dict[int, list[int]] = {}
        rows = []
        for expert, share in enumerate(utilisation):
            if expert in scenes:
                of_cluster.setdefault(_longest(scenes[expert]), []).append(expert)
            else:
                rows.append(visualization.ExpertRow(f"expert {expert}", (), share))
        for cluster, own in of_cluster.items():
            seen = sorted((s for e in own for s in scenes[e]), key=lambda scene: scene.start_s)
            rows.append(
                visualization.ExpertRow(
                    f"{', '.join(map(str, own))}: {self.memory.names[cluster]}",
                    tuple(Span(scene.start_s, scene.end_s) for scene in seen),
                    sum(utilisation[expert] for expert in own),
                    self.colours.get(cluster, visualization.GREY),
                )
            )
        return rows

    def _draw_phrase(self, phrase: str, path: Path, window: Span | None) -> Path:
        """The similarity of every moment to a phrase, and the answers."""
        everything = len(self.scenes) + len(self.lines)
        answers, seen = self._searcher.ask(
            [
                _whole(phrase),
                Request(phrase, plain=True, exact=True, k=everything, signals=("picture",)),
            ]
        )
        chance = self._searcher.asker.chance(phrase)
        return visualization.query_curve(
            f"{_quoted(phrase)} in {self.record.name}",
            tuple(seen),
            self.duration_s,
            path,
            answers=tuple(answers),
            threshold=chance[1] if chance else None,
            chance=chance[0] if chance else None,
            thumbnails=self.thumbnails,
            note=_outcome(answers),
            window=window,
        )

    def _draw_over_time(self, query: str, asked: Query, path: Path, window: Span | None) -> Path:
        """Where each phrase of a query over time is found, and what the query makes of it."""
        phrases = list(dict.fromkeys(term.text for term in asked.terms()))
        requests = [Request(phrase, plain=True, every=True) for phrase in phrases]
        everything = len(self.scenes) + len(self.lines)
        candidates = [Request(phrase, plain=True, exact=True, k=everything) for phrase in phrases]
        answers = self._searcher.ask([*requests, *candidates, _whole(query)])
        found, seen = answers[: len(phrases)], answers[len(phrases) : -1]
        result = answers[-1]
        rows = zip(phrases, found, seen, strict=True)
        return visualization.query_terms(
            f"{query} in {self.record.name}",
            [
                _term_row(_quoted(phrase), own, () if result.found else rests_on(result, every))
                for phrase, own, every in rows
            ],
            _term_row("result", result),
            self.duration_s,
            path,
            note=_outcome(result),
            window=window,
        )

    @cached_property
    def _searcher(self) -> Searcher:
        return Searcher(self.config, [self.record.id])

    def text(self, width: int, *, window: Span | None = None, plain: bool = False) -> str:
        """The timeline in characters."""
        from semantic_video.utils.visualization.terminal import timeline_text

        return timeline_text(
            self.clusters,
            self.duration_s,
            width=width,
            window=window,
            marks=self.marks,
            plain=plain,
        )

    def report(self, path: Path, *, queries: Sequence[str] = ()) -> Path:
        """Write a page with all there is to see, and return its path.

        Each of ``queries`` adds the picture of its answers. Pictures that need matplotlib are left
        out where it is missing.

        Raises:
            ConfigError: there are queries, and matplotlib is missing.
            QueryError: one of the queries cannot be read.
            OutputError: the file cannot be written.
        """
        record = self.record
        facts = [
            f"{clock(self.duration_s)}, {len(self.scenes)} scenes in {len(self.clusters)} clusters",
            f"model {record.model_id}",
            f"indexed {record.indexed_at[:10]}",
        ]
        if record.recorded_at:
            facts.insert(0, f"recorded {record.recorded_at[:10]}")
        return visualization.report(
            self.clusters,
            self.scenes,
            self.thumbnails,
            # What was watched has the address it came from in place of an absolute path.
            Path(record.path) if Path(record.path).is_absolute() else record.path,
            path,
            facts=" · ".join(facts),
            lines=[(line.start_s, line.end_s, line.text) for line in self.lines],
            marks=self.marks,
            pictures=self._svgs(queries),
            answers={_query_title(query): self._answer(query) for query in queries},
        )

    def _svgs(self, queries: Sequence[str]) -> list[tuple[str, str]]:
        """(title, SVG) of the pictures that a report holds beside its own."""
        from importlib.util import find_spec

        if find_spec("matplotlib") is None and not queries:
            return []
        wanted = {
            title: what
            for title, what in _IN_REPORT.items()
            if what != "experts" or self.experts is not None
        }
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "picture.svg")
            asked = [
                (_query_title(query), self.draw_query(query, path).read_text("utf-8"))
                for query in queries
            ]
            return asked + [
                (title, self.draw(what, path, title="").read_text(encoding="utf-8"))
                for title, what in wanted.items()
            ]

    def _answer(self, query: str) -> visualization.Answered:
        """What the picture of a query shows, in words."""
        (found,) = self._searcher.ask([_whole(_spelt_out(query))])
        return visualization.Answered(_outcome(found), tuple(found))

    @cached_property
    def marks(self) -> dict[str, list[Span]]:
        """When somebody speaks and when words are on the screen; rows of the timeline."""
        names = {"speech": "speech", "text": "screen text"}
        return {
            name: [Span(line.start_s, line.end_s) for line in self.lines if line.kind == kind]
            for kind, name in names.items()
            if any(line.kind == kind for line in self.lines)
        }

    def _shown(self, window: Span | None) -> Span:
        return visualization.shown_window(self.duration_s, window)

    def within(self, window: Span | None) -> tuple[tuple[Scene, ...], tuple[Cluster, ...]]:
        """The scenes that reach into a stretch, and what clusters are of them alone."""
        shown = self._shown(window)
        if window is None:
            return self.scenes, self.clusters
        scenes = tuple(
            s for s in self.scenes if s.end_s > shown.start_s and s.start_s < shown.end_s
        )
        return scenes, clusters_of(scenes, self.clusters, shown)


def _spelt_out(query: str | None) -> str:
    """The query without spaces around it.

    Raises QueryError where there is none, or only the name of one.
    """
    query = (query or "").strip()
    if not query:
        raise QueryError('say what to look for: --query "a dog"')
    if query.startswith("@"):
        raise QueryError(f"a saved query cannot be drawn: write what {query} looks for")
    return query


def _query_title(query: str) -> str:
    return f"Query: {query.strip()}"


def _whole(query: str) -> Request:
    """The request for what a picture of a query marks as its answers."""
    asked = parse(query)
    if isinstance(asked, Term):
        return Request(query, plain=True, exact=True)
    # Without "every", moments that do not count fill up the list.
    whole = query if isinstance(asked, Every | Count | HowLong) else f"every ({query})"
    return Request(whole, every=True)


def _quoted(phrase: str) -> str:
    """A phrase in quotes, also where it has its own."""
    bare = phrase[1:-1] if phrase[0] == phrase[-1] == '"' else phrase
    return f"“{bare or phrase}”"


def _term_row(name: str, found: Moments, more: Sequence[Moment] = ()) -> visualization.TermRow:
    """What of an answer counts as found, or the nearest where nothing does; ``more`` do not."""
    spans = tuple(Span(moment.start_s, moment.end_s) for moment in found)
    below = (
        Span(moment.start_s, moment.end_s)
        for moment in more
        if not any(moment.start_s < one.end_s and moment.end_s > one.start_s for one in spans)
    )
    return visualization.TermRow(
        name,
        spans,
        tuple(moment.probability or 0.0 for moment in found),
        found.found,
        tuple(below),
    )


def _longest(scenes: Sequence[Scene]) -> int:
    """The cluster with most time in these scenes."""
    seconds: dict[int, float] = {}
    for scene in scenes:
        seconds[scene.cluster] = seconds.get(scene.cluster, 0.0) + scene.end_s - scene.start_s
    return max(seconds, key=lambda cluster: (seconds[cluster], -cluster))


def _outcome(answer: Moments) -> str:
    """What people should know first of an answer."""
    said = f"{answer.verdict.rstrip(':').capitalize()}."
    if answer.value is not None:
        said += f" The number asked for: {answer.value:g}."
    return said


def scene_vectors(memory: MemoryHierarchy, scenes: Sequence[Scene]) -> NDArray[np.float32]:
    """A vector for each scene, float32[S, D]: the mean of its exemplars, else its entry's own."""
    held = memory.entries
    rows: dict[int, NDArray[np.float32]] = {}
    for entry, spans in enumerate(held.entry_spans):
        own = held.exemplar_rows(entry)
        times = held.exemplar_times[own]
        for span in spans:
            inside = (times >= span.start_s) & (times < span.end_s)
            vectors = held.exemplar_vectors[own][inside].astype(np.float32)
            mean = vectors.mean(axis=0) if len(vectors) else held.entry_vectors[entry]
            rows[span.scene] = mean.astype(np.float32)
    return np.stack([rows[scene.id] for scene in scenes])
