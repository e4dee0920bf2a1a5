"""Router, experts and their mixture, in PyTorch; only training needs this module.

Axes in the comments: N vectors, D their length, K experts, R the rank of an adapter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

DEFAULT_TEMPERATURE = 0.05
DEFAULT_TOP_K = 8
DEFAULT_RANK = 4
DEFAULT_SHARED_RANK = 64


@dataclass(frozen=True, slots=True)
class MoEOutput:
    """What the mixture makes of N vectors.

    ``vectors`` [N, D] have unit length, ``gates`` [N, K] rows that add up to 1 with at most top-k
    values above 0, and ``losses`` holds the router's losses by name (``balance``, ``z``), each a
    scalar to be weighted and added to the objective.
    """

    vectors: Tensor
    gates: Tensor
    losses: dict[str, Tensor]


class Router(nn.Module):
    """Softmax gate over K centroids, of which the ``top_k`` largest count.

    Starts as the soft assignment that the centroids give: the logits are cosines over a
    temperature. Deterministic, in training too.
    """

    def __init__(
        self, centroids: Tensor, top_k: int = 2, temperature: float = DEFAULT_TEMPERATURE
    ) -> None:
        super().__init__()
        if centroids.ndim != 2:
            raise ValueError(f"centroids must be [K, D], not {tuple(centroids.shape)}")
        if not 1 <= top_k <= len(centroids):
            raise ValueError(
                f"top_k={top_k} must lie in 1..{len(centroids)}, the experts there are"
            )
        self.top_k = top_k
        self.temperature = temperature
        self.weight = nn.Parameter(
            functional.normalize(centroids.detach().clone(), dim=1)
        )  # [K, D]

    def forward(self, vectors: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Gates [N, K], and the losses of Switch (Fedus 2021) and ST-MoE (Zoph 2022)."""
        logits = vectors @ self.weight.T / self.temperature  # [N, K]
        losses = {
            "balance": load_balancing_loss(logits),
            "z": torch.logsumexp(logits, dim=1).square().mean(),
        }
        return top_k_gates(logits, self.top_k), losses


def top_k_gates(logits: Tensor, top_k: int) -> Tensor:
    """Softmax over the ``top_k`` largest logits of each row, 0 elsewhere: [N, K] -> [N, K]."""
    values, places = logits.topk(top_k, dim=1)  # [N, top_k]
    return torch.zeros_like(logits).scatter(1, places, values.softmax(dim=1))


def load_balancing_loss(logits: Tensor) -> Tensor:
    """K times the sum over experts of (share of vectors routed to it) x (its mean probability).

    1 where all K experts are used alike, K where one takes all (Fedus 2021, equation 4).
    """
    count = logits.shape[1]
    chosen = functional.one_hot(logits.argmax(dim=1), count).to(logits.dtype)  # [N, K]
    return count * (chosen.mean(dim=0) * logits.softmax(dim=1).mean(dim=0)).sum()


class Expert(nn.Module):
    """Low-rank residual adapter, x -> U V x + b, that starts at zero (as LoRA, Hu 2021)."""

    def __init__(self, dimension: int, rank: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        if not 1 <= rank <= dimension:
            raise ValueError(f"rank={rank} must lie in 1..{dimension}")
        scale = dimension**-0.5
        self.down = nn.Parameter(
            torch.randn(rank, dimension, generator=generator) * scale
        )  # [R, D]
        self.up = nn.Parameter(torch.zeros(dimension, rank))  # [D, R]
        self.bias = nn.Parameter(torch.zeros(dimension))  # [D]

    def forward(self, vectors: Tensor) -> Tensor:
        """What the adapter adds to the vectors [N, D]: [N, D]."""
        return vectors @ self.down.T @ self.up.T + self.bias


class SceneMoE(nn.Module):
    """Vectors of scenes -> the same, refined by an expert for all and the experts of categories.

    y = unit(x + shared(x) + sum over k of gate_k(x) expert_k(x)); the identity until it is trained.
    ``centroids`` [K, D] start the router. ``gates`` given to `forward` take the router's place, for
    routes that do not look at what a vector shows.
    """

    def __init__(
        self,
        centroids: Tensor,
        rank: int = DEFAULT_RANK,
        shared_rank: int = DEFAULT_SHARED_RANK,
        top_k: int = DEFAULT_TOP_K,
        temperature: float = DEFAULT_TEMPERATURE,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.router = Router(centroids, top_k, temperature)
        self.rank = rank
        self._generator = torch.Generator().manual_seed(seed)
        count, dimension = centroids.shape
        self.shared = Expert(dimension, min(shared_rank, dimension), self._generator)
        self.experts = nn.ModuleList(Expert(dimension, rank, self._generator) for _ in range(count))

    @property
    def num_experts(self) -> int:
        """K, without the shared one."""
        return len(self.experts)

    @property
    def dimension(self) -> int:
        """D, the length of a vector."""
        return int(self.router.weight.shape[1])

    def forward(self, vectors: Tensor, gates: Tensor | None = None) -> MoEOutput:
        """Refine vectors [N, D] of unit length."""
        if vectors.ndim != 2 or vectors.shape[1] != self.dimension:
            raise ValueError(f"vectors must be [N, {self.dimension}], not {list(vectors.shape)}")
        losses: dict[str, Tensor] = {}
        if gates is None:
            gates, losses = self.router(vectors)
        elif gates.shape != (len(vectors), self.num_experts):
            raise ValueError(
                f"gates must be [{len(vectors)}, {self.num_experts}], not {list(gates.shape)}"
            )
        refined = vectors + self.shared(vectors) + self._mixed(vectors, gates)
        return MoEOutput(functional.normalize(refined, dim=1), gates, losses)

    def _mixed(self, vectors: Tensor, gates: Tensor) -> Tensor:
        """Sum over k of gate_k expert_k, [N, D], without ever holding [N, K, D]."""
        experts = cast("list[Expert]", list(self.experts))
        down = torch.cat([expert.down for expert in experts])  # [K R, D]
        up = torch.cat([expert.up for expert in experts], dim=1)  # [D, K R]
        bias = torch.stack([expert.bias for expert in experts])  # [K, D]
        inner = (vectors @ down.T).reshape(len(vectors), self.num_experts, self.rank)  # [N, K, R]
        inner = (inner * gates[:, :, None]).flatten(1)  # [N, K R]
        mixed: Tensor = inner @ up.T + gates @ bias
        return mixed

    def add_experts(self, centroids: Tensor) -> None:
        """An expert, at zero, for each new cluster [J, D]; what was there is frozen.

        That includes the router's old rows and the shared expert: nothing learned is forgotten,
        and a vector changes only as far as it is routed to a new expert.
        """
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        known = self.router.weight.detach()
        rows = functional.normalize(centroids.to(known), dim=1)
        self.router.weight = nn.Parameter(torch.cat([known, rows]), requires_grad=False)
        self.experts.extend(
            Expert(self.dimension, self.rank, self._generator) for _ in range(len(centroids))
        )

    def trainable(self) -> list[nn.Parameter]:
        """The parameters that learn."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]
