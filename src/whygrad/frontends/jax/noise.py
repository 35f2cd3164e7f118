"""One experiment: the gradient under other random numbers."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Protocol

import jax

from whygrad.frontends.arrays import wide
from whygrad.frontends.jax.evaluation import Change
from whygrad.frontends.jax.tape import is_key
from whygrad.ir import Graph, Reseed, Trial

SEEDS = (1_000_003, 2_000_003, 3_000_017)
"""Three draws give three pairs, whose mean is what counts."""


class Drawing(Protocol):
    """What is asked of a replay."""

    arrays: Mapping[int, Any]
    numbers: Mapping[str, int]
    graph: Graph

    def gradients(self, change: Change) -> tuple[Any, dict[str, Any]]:
        """Loss and gradients by parameter name."""


def reseeded(replay: Drawing, intervention: Reseed) -> Trial:
    """How far gradients of the same step agree whose random keys differ: the mean cosine."""
    keys = {number: replay.arrays[number] for number in keys_of(replay, intervention.ops)}
    if not keys:
        return Trial(intervention, reason="the random keys of these ops are not at hand")
    found = [replay.gradients(Change({number: _other(key, seed) for number, key in keys.items()}))[1] for seed in SEEDS]
    cosines = [cosine for one, other in combinations(found, 2) if (cosine := _cosine(one, other)) is not None]
    if not cosines:
        return Trial(intervention, reason="the gradient is zero or not finite")
    return Trial(intervention, figures={"cosine": sum(cosines) / len(cosines)})


def keys_of(replay: Drawing, ops: Sequence[str]) -> list[int]:
    """The numbers of the random keys that these ops are given."""
    inputs = dict.fromkeys(name for op in replay.graph.ops if not set(ops).isdisjoint(op.outputs) for name in op.inputs)
    numbers = [replay.numbers[name] for name in inputs if name in replay.numbers]
    return [number for number in numbers if _draws(replay.arrays.get(number))]


def _draws(item: Any) -> bool:
    """A key of the new kind, or of the old one: two whole numbers of 32 bits."""
    old = str(getattr(item, "dtype", "")) == "uint32" and getattr(item, "shape", ()) == (2,)
    return item is not None and (is_key(item) or old)


def _other(key: Any, seed: int) -> Any:
    return jax.random.fold_in(key, seed)


def _cosine(one: Mapping[str, Any], other: Mapping[str, Any]) -> float | None:
    """The cosine of two gradients over all parameters; None where one is zero or not finite."""
    pairs = [(_flat(one[name]), _flat(other[name])) for name in sorted(one.keys() & other.keys())]
    product = sum(float(left @ right) for left, right in pairs)
    size = (sum(float(left @ left) for left, _ in pairs) * sum(float(right @ right) for _, right in pairs)) ** 0.5
    return product / size if 0 < size < float("inf") else None


def _flat(gradient: Any) -> Any:
    return wide(gradient).reshape(-1)
