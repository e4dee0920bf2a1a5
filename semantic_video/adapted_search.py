"""Searching for what pictures and moments show with the eyes of trained experts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import RetrievalOptions
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.moe_experts import FrozenMoE, TrainedExperts
from semantic_video.records import Moment, Scope
from semantic_video.scene_retrieval import Asked, Moments, References, SceneRetriever

Where = Scope | Mapping[str, Scope] | None


class AdaptedRetriever:
    """`SceneRetriever` for pictures, in which query and memory are refined by each film's experts.

    Moments carry the signal ``experts``. ``films`` holds a name, memory and experts each; the
    pictures of ``references`` are refined as well, so that certainty compares like with like.
    """

    def __init__(
        self,
        films: Sequence[tuple[str, MemoryHierarchy, FrozenMoE]],
        options: RetrievalOptions,
        references: References | None = None,
    ) -> None:
        self._options = options
        self._films = [
            (
                experts,
                SceneRetriever(
                    # What is refined for a search is kept nowhere: no bytes to count.
                    [
                        (
                            name,
                            replace(
                                memory, entries=experts.refined(memory.entries), max_bytes=None
                            ),
                        )
                    ],
                    options,
                    references
                    and replace(references, pictures=experts.refine(references.pictures)),
                ),
            )
            for name, memory, experts in films
        ]

    def search(
        self,
        query: NDArray[np.float32],
        text: str = "",
        k: int | None = None,
        exact: bool = False,
        scope: Where = None,
        asked: Asked = "picture",
    ) -> Moments:
        """The ``k`` best moments for a picture's unit vector [D]; see `SceneRetriever.search`."""
        answers = [
            own.search(experts.refine(query[None])[0], text, k, exact, scope, asked)
            for experts, own in self._films
        ]
        best = _by_score(answers)[: k or self._options.k]
        found, perhaps = (any(getattr(a, name) for a in answers) for name in ("found", "perhaps"))
        return Moments(text, best, found, perhaps=perhaps)

    def candidates(
        self, query: NDArray[np.float32], scope: Where = None, asked: Asked = "picture"
    ) -> tuple[Moment, ...]:
        """Every candidate moment, best first; see `SceneRetriever.candidates`."""
        return tuple(
            _by_score(
                [
                    own.candidates(experts.refine(query[None])[0], scope, asked)
                    for experts, own in self._films
                ]
            )
        )


def adapted_retriever(
    films: Sequence[tuple[str, MemoryHierarchy, bytes | None]],
    options: RetrievalOptions,
    references: References | None = None,
) -> AdaptedRetriever | None:
    """A retriever for films with the bytes of their experts; None unless all have such that adapt.

    Refined likeness is larger than plain likeness, so that a mixture of both could not rank.
    """
    trained: list[tuple[str, MemoryHierarchy, FrozenMoE]] = []
    for name, memory, weights in films:
        experts = None if weights is None else TrainedExperts.from_bytes(weights).adapt
        if experts is None:
            return None
        trained.append((name, memory, experts))
    return AdaptedRetriever(trained, options, references)


def _by_score(answers: Sequence[Sequence[Moment]]) -> list[Moment]:
    found = [
        replace(moment, signals={**moment.signals, "experts": moment.score})
        for answer in answers
        for moment in answer
    ]
    return sorted(found, key=lambda moment: -moment.score)
