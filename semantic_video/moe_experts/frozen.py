"""Trained experts as arrays: kept as safetensors bytes, evaluated with numpy.

A search reads these and never imports torch; the figures agree with those of `SceneMoE`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.errors import LibraryError
from semantic_video.memory_hierarchy import SceneEntries
from semantic_video.moe_experts.codec import CODE_FORMAT, ExpertCodec, unit_rows

if TYPE_CHECKING:
    from semantic_video.moe_experts.model import SceneMoE

FloatArray = NDArray[np.float32]

_ABOUT = "semantic_video"


@dataclass(frozen=True, slots=True, eq=False)
class FrozenMoE:
    """A `SceneMoE` that no longer learns: K experts of rank R beside a shared one of rank S.

    ``router`` float16[K, D], ``bias`` [K, D], ``down`` [K, R, D] and ``up`` [K, D, R] of the
    experts, ``shared_down`` [S, D], ``shared_up`` [D, S] and ``shared_bias`` [D]; R and S are 0
    where nothing was learned there.
    """

    router: NDArray[np.float16]
    bias: NDArray[np.float16]
    down: NDArray[np.float16]
    up: NDArray[np.float16]
    shared_down: NDArray[np.float16]
    shared_up: NDArray[np.float16]
    shared_bias: NDArray[np.float16]
    top_k: int
    temperature: float

    @classmethod
    def from_model(cls, moe: SceneMoE) -> FrozenMoE:
        """The arrays of a trained mixture; adapters that are still at zero are left out."""

        def array(tensor: Any) -> NDArray[np.float16]:
            return np.asarray(tensor.detach().numpy().astype(np.float16))

        down = np.stack([array(expert.down) for expert in moe.experts])
        up = np.stack([array(expert.up) for expert in moe.experts])
        if not up.any():
            down, up = down[:, :0], up[:, :, :0]
        shared_down, shared_up = array(moe.shared.down), array(moe.shared.up)
        learned = shared_up.any(axis=0)
        return cls(
            router=array(moe.router.weight),
            bias=np.stack([array(expert.bias) for expert in moe.experts]),
            down=down,
            up=up,
            shared_down=shared_down[learned],
            shared_up=shared_up[:, learned],
            shared_bias=array(moe.shared.bias),
            top_k=moe.router.top_k,
            temperature=moe.router.temperature,
        )

    @property
    def num_experts(self) -> int:
        """K, without the shared one."""
        return len(self.router)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return sum(array.nbytes for array in self.arrays().values())

    def gates(self, vectors: FloatArray) -> FloatArray:
        """Share [N, K] of each expert in each of N vectors, rows adding up to 1."""
        logits = vectors @ self.router.astype(np.float32).T / np.float32(self.temperature)
        if self.top_k < logits.shape[1]:
            least = np.partition(logits, -self.top_k, axis=1)[:, -self.top_k, None]
            logits = np.where(logits >= least, logits, -np.inf)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def refine(self, vectors: FloatArray) -> FloatArray:
        """Vectors [N, D] of unit length -> the same refined, of unit length."""
        vectors = np.asarray(vectors, dtype=np.float32)
        gates = self.gates(vectors)
        refined = vectors + gates @ self.bias.astype(np.float32)
        refined += vectors @ self.shared_down.astype(np.float32).T @ self.shared_up.astype(
            np.float32
        ).T + self.shared_bias.astype(np.float32)
        rank = self.down.shape[1]
        if rank:
            inner = np.einsum("nd,krd->nkr", vectors, self.down.astype(np.float32), optimize=True)
            inner *= gates[:, :, None]
            refined += np.einsum("nkr,kdr->nd", inner, self.up.astype(np.float32), optimize=True)
        return unit_rows(refined)

    def refined(self, entries: SceneEntries) -> SceneEntries:
        """The same entries with their vectors refined."""
        vectors = [
            self.refine(plain.astype(np.float32)).astype(np.float16)
            for plain in (entries.entry_vectors, entries.exemplar_vectors)
        ]
        return SceneEntries(
            vectors[0],
            entries.entry_weights,
            entries.entry_spans,
            vectors[1],
            entries.exemplar_times,
            entries.exemplar_entries,
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that has to be kept, by name."""
        names = ("router", "bias", "down", "up", "shared_down", "shared_up", "shared_bias")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, eq=False)
class TrainedExperts:
    """What training left for a search: the jobs that are on, and how they came about.

    ``adapt`` and ``codec`` are None where their job is off. ``facts`` is everything worth knowing
    of the training, as JSON holds it: configuration, seed, losses, held-out figures.
    """

    adapt: FrozenMoE | None = None
    codec: ExpertCodec | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """As safetensors, with the facts in its metadata."""
        from safetensors.numpy import save

        tensors: dict[str, NDArray[Any]] = {}
        extra: dict[str, Any] = {}
        if self.adapt is not None:
            tensors |= {f"adapt.{name}": array for name, array in self.adapt.arrays().items()}
            extra["adapt"] = {"top_k": self.adapt.top_k, "temperature": self.adapt.temperature}
        if self.codec is not None:
            tensors |= {f"codec.{name}": array for name, array in self.codec.arrays().items()}
            extra["codec"] = {"format": CODE_FORMAT}
        tensors = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
        # An empty file of tensors is none: the facts stay even where both jobs are off.
        tensors["nothing"] = np.zeros(1, np.uint8)
        # A single key: of several the order is by chance, and the same experts would differ.
        about = {"facts": dict(self.facts), "jobs": extra}
        return bytes(save(tensors, {_ABOUT: json.dumps(about)}))

    @classmethod
    def from_bytes(cls, data: bytes) -> TrainedExperts:
        """The inverse of `to_bytes`; without a codec whose codes are of another format.

        Raises:
            LibraryError: the bytes are not what `to_bytes` makes.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            tensors = load(data)
            # safetensors gives its metadata for files only: length, then JSON, then the tensors.
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
            about = json.loads(header["__metadata__"][_ABOUT])
            facts, jobs = about["facts"], about["jobs"]
            adapt = codec = None
            if "adapt" in jobs:
                parts: dict[str, Any] = _part(tensors, "adapt.")
                adapt = FrozenMoE(**parts, **jobs["adapt"])
            # One that does not say is of the first format; one of another format is none to us.
            if "codec" in jobs and jobs["codec"].get("format", 1) == CODE_FORMAT:
                codec = ExpertCodec.from_arrays(_part(tensors, "codec."))
        except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise LibraryError(
                "the experts in the library are damaged: run `semantic-video train` again, or "
                "search with --no-experts"
            ) from error
        return cls(adapt, codec, facts)


def _part(tensors: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(prefix): array
        for name, array in tensors.items()
        if name.startswith(prefix)
    }
