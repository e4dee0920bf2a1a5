"""Entries of a memory kept as the codes of experts, in place of their vectors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semantic_video.memory_hierarchy import CodeSize, SceneEntries
from semantic_video.moe_experts.codec import CodedFrames, CodedVectors, ExpertCodec, unit_rows
from semantic_video.records import SceneSpan

FloatArray = NDArray[np.float32]

EXPERTS = 16
"""Experts of a codec that is fitted to a film: as many as its weights allow (`docs/experts.md`)."""

# Frames that a codec is fitted to, spread evenly: more say nothing new.
_MOST_FRAMES = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class ExpertCoder:
    """Codes the entries of a memory by the experts of their categories; see `ExpertCodec`."""

    codec: ExpertCodec

    @classmethod
    def fit(
        cls,
        entries: SceneEntries,
        texts: FloatArray,
        code_bytes: int,
        experts: int = EXPERTS,
        seed: int = 0,
    ) -> ExpertCoder:
        """A coder of ``code_bytes`` bytes a vector, in closed form, without labels or torch.

        ``texts`` [V, D] is a bank of texts in the encoder's space.
        """
        from semantic_video.semantic_clustering import SemanticClustering

        scenes = unit_rows(entries.entry_vectors.astype(np.float32))
        groups = SemanticClustering("kmeans", min(experts, len(scenes)), seed).fit(scenes)
        some = slice(None, None, max(1, -(-len(entries.exemplar_times) // _MOST_FRAMES)))
        codec = ExpertCodec.fit(
            scenes,
            groups.labels.astype(np.int64),
            unit_rows(entries.exemplar_vectors[some].astype(np.float32)),
            entries.exemplar_entries[some].astype(np.int64),
            code_bytes,
            texts,
        )
        return cls(codec)

    @property
    def size(self) -> CodeSize:
        """Bytes of codes, and of the experts themselves."""
        frame = self.codec.bytes_per_vector
        return CodeSize(frame + 1, frame, self.codec.nbytes)

    def code(self, entries: SceneEntries) -> CodedEntries:
        """The same entries as codes."""
        scenes = unit_rows(entries.entry_vectors.astype(np.float32))
        codes = self.codec.encode(
            scenes,
            self.codec.route(scenes),
            unit_rows(entries.exemplar_vectors.astype(np.float32)),
            entries.exemplar_entries.astype(np.int64),
        )
        return CodedEntries(
            self,
            codes,
            entries.entry_weights,
            entries.entry_spans,
            entries.exemplar_times,
            entries.exemplar_entries,
        )

    def pays(self, entries: SceneEntries, max_bytes: int | None = None) -> tuple[bool, int]:
        """Whether codes hold these entries in fewer bytes than vectors, experts counted.

        Within ``max_bytes``, whether more vectors fit. Also says how many vectors it takes.
        """
        size, vector = self.size, 2 * entries.dimension
        least = size.coder // max(vector - size.entry, 1) + 1
        vectors = len(entries) + len(entries.exemplar_times)
        if max_bytes is not None:
            vectors = min(vectors, max_bytes // vector)
        return size.entry < vector and vectors >= least, least


class CodedEntries(SceneEntries):
    """Entries whose vectors are codes: of ``codes`` and the other arrays of `SceneEntries`.

    ``entry_vectors`` and ``exemplar_vectors`` are decoded when somebody asks for them; a search
    scores frames straight from their codes (`frames`). The same codes are the same vectors, bit
    for bit.
    """

    codes: CodedVectors
    _coder: ExpertCoder

    def __init__(
        self,
        coder: ExpertCoder,
        codes: CodedVectors,
        entry_weights: NDArray[np.float32],
        entry_spans: tuple[tuple[SceneSpan, ...], ...],
        exemplar_times: NDArray[np.float64],
        exemplar_entries: NDArray[np.int32],
    ) -> None:
        # Frozen, as its base is.
        object.__setattr__(self, "_coder", coder)
        object.__setattr__(self, "codes", codes)
        for name, value in (
            ("entry_weights", np.asarray(entry_weights, dtype=np.float32)),
            ("entry_spans", entry_spans),
            ("exemplar_times", np.asarray(exemplar_times, dtype=np.float64)),
            ("exemplar_entries", np.asarray(exemplar_entries, dtype=np.int32)),
        ):
            object.__setattr__(self, name, value)
        self._check()

    @property
    def coder(self) -> ExpertCoder:
        """What made the codes."""
        return self._coder

    @property
    def dimension(self) -> int:
        """D, the length of a vector."""
        return int(self.coder.codec.means.shape[1])

    @cached_property
    def entry_vectors(self) -> NDArray[np.float16]:
        """float16[N, D], decoded."""
        nobody = np.zeros(0, np.int64)
        codes = self.codes
        alone = CodedVectors(codes.entry_experts, codes.entry_codes, codes.frame_codes[:0])
        return self.coder.codec.decode(alone, nobody)[0].astype(np.float16)

    @cached_property
    def exemplar_vectors(self) -> NDArray[np.float16]:
        """float16[M, D], decoded."""
        owners = self.exemplar_entries.astype(np.int64)
        return self.coder.codec.decode(self.codes, owners)[1].astype(np.float16)

    @cached_property
    def frames(self) -> CodedFrames:
        """The exemplars, to be scored from their codes."""
        return CodedFrames.of(self.coder.codec, self.codes, self.exemplar_entries.astype(np.int64))
