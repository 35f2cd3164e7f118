"""One experiment: the gradient under other random numbers."""

from collections.abc import Mapping
from itertools import combinations
from typing import Protocol

import torch
from torch import Tensor

from whygrad.frontends.torch.distances import wide
from whygrad.ir import Reseed, Trial

SEEDS = (1_000_003, 2_000_003, 3_000_017)
"""Three draws give three pairs, whose mean is what counts; their distance keeps the ops' own numbers from meeting."""


class Drawing(Protocol):
    """What is asked of a replay."""

    def reseeded(self, ops: tuple[str, ...], seed: int) -> dict[str, Tensor]:
        """The gradients with other random numbers at these ops."""


def reseeded(replay: Drawing, intervention: Reseed) -> Trial:
    """How far gradients of the same step agree whose random numbers differ: the mean cosine."""
    found = [replay.reseeded(intervention.ops, seed) for seed in SEEDS]
    cosines = [cosine for one, other in combinations(found, 2) if (cosine := _cosine(one, other)) is not None]
    if not cosines:
        return Trial(intervention, reason="the gradient is zero or not finite")
    return Trial(intervention, figures={"cosine": sum(cosines) / len(cosines)})


def _cosine(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float | None:
    """The cosine of two gradients over all parameters; None where one is zero or not finite."""
    names = sorted(one.keys() & other.keys())
    product = sum(float((_flat(one[name]) * _flat(other[name])).sum()) for name in names)
    sizes = [sum(float(_flat(gradient).square().sum()) for gradient in gradients.values()) for gradients in (one, other)]
    size = (sizes[0] * sizes[1]) ** 0.5
    return product / size if 0 < size < float("inf") else None


def _flat(gradient: Tensor) -> Tensor:
    dense = gradient if gradient.layout is torch.strided else gradient.to_dense()
    return wide(dense.detach()).reshape(-1)
