"""Experiments that are no single change: a gradient of the user's own beside finite differences, and the gradient of the step under other random numbers."""

from collections.abc import Mapping
from functools import partial
from itertools import combinations
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from whygrad.frontends.arrays import wide
from whygrad.frontends.differences import DOUBLE, SINGLE, Moves, compared
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.calls import Call
from whygrad.frontends.tensorflow.futures import perturbed
from whygrad.ir import Differentiate, Intervention, Perturb, Reseed, Trial

SEEDS = (1_000_003, 2_000_003, 3_000_017)
"""Three draws give three pairs, whose mean is what counts."""
UNIFORM = ("RandomUniform", "StatelessRandomUniform", "StatelessRandomUniformV2")
NORMAL = ("RandomStandardNormal", "StatelessRandomNormal", "StatelessRandomNormalV2")

Tensors = Mapping[str, Any]


class Probed(Protocol):
    """What the probes need of a replay."""

    calls: list[Call]
    producer: dict[str, Call]

    def find(self, name: str) -> Any:
        """The tensor of a value, where it still lives; None else."""

    def forwarded(self, substitutes: Tensors) -> Tensors:
        """Every value that depends on other data in the place of some tensors."""

    def arguments(self, call: Call, environment: Tensors) -> list[Any]:
        """What a call is given now."""

    def substituted(self, substitutes: Tensors) -> dict[str, NDArray[Any]]:
        """The gradients with other tensors in the place of some."""


def probed(replay: Probed, intervention: Intervention) -> Trial | None:
    """The trial of an intervention that has a way of its own; None for one that is a single change."""
    match intervention:
        case Perturb():
            return perturbed(replay, intervention)
        case Differentiate():
            return against_differences(replay, intervention)
        case Reseed():
            return reseeded(replay, intervention)
        case _:
            return None


def against_differences(replay: Probed, intervention: Differentiate) -> Trial:
    """What the function's own gradient says, and what moving single entries says."""
    call = replay.producer.get(intervention.ops[0]) if intervention.ops else None
    if call is None or call.function is None:
        return Trial(intervention, reason="the op is not part of the replayed step")
    given = replay.arguments(call, replay.forwarded({}))
    try:
        return Trial(intervention, figures=_figures(_Function(call, given, tf.float64), DOUBLE))
    except (tf.errors.OpError, TypeError, ValueError):
        return Trial(intervention, figures=_figures(_Function(call, given, None), SINGLE))


class _Function:
    """One call as a function of its floating inputs, summed with fixed weights to a number."""

    def __init__(self, call: Call, given: list[Any], dtype: Any) -> None:
        self.call = call
        self.given = [
            tf.cast(item, dtype) if dtype is not None and item.dtype.is_floating else tf.convert_to_tensor(item) for item in given
        ]
        self.places = [at for at, item in enumerate(self.given) if item.dtype.is_floating]
        draw = np.random.default_rng(0)
        self.weights = [tf.constant(draw.standard_normal(item.shape), tf.float64) for item in self.outputs(self.given)]

    def outputs(self, given: list[Any]) -> list[Any]:
        """What the call returns."""
        assert self.call.function is not None  # the caller has looked
        return [item for item in self.call.function(given) if item.dtype.is_floating]

    def total(self, given: list[Any]) -> Any:
        """The weighted sum of the outputs."""
        return tf.add_n([tf.reduce_sum(w * tf.cast(item, tf.float64)) for w, item in zip(self.weights, self.outputs(given), strict=True)])

    def gradients(self) -> list[NDArray[Any]]:
        """What the function's own gradient says of each floating input."""
        moving = [self.given[at] for at in self.places]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(moving)
            total = self.total(self.given)
        found = tape.gradient(total, moving, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return [np.asarray(tf.convert_to_tensor(item)) for item in found]

    def slope(self, at: int, entry: tuple[int, ...], move: float) -> float:
        """The central difference quotient at one entry of one input."""
        sides = []
        for sign in (1.0, -1.0):
            array = np.array(self.given[at])
            array[entry] += sign * move
            sides.append(float(self.total([*self.given[:at], tf.constant(array, self.given[at].dtype), *self.given[at + 1 :]])))
        return (sides[0] - sides[1]) / (2 * move)


def _figures(function: _Function, moves: Moves) -> dict[str, float]:
    """What came of the comparison, for the input that is worst."""
    first = [function.given[at] for at in function.places[:1]]
    if any(one.shape == other.shape and bool(tf.reduce_all(one == other)) for one in function.outputs(function.given) for other in first):
        return {"identity": 1.0}
    worst: dict[str, float] = {}
    for at, slopes in zip(function.places, function.gradients(), strict=True):
        item = np.asarray(function.given[at])
        figures = {"input": float(at), **compared(item, slopes, partial(function.slope, at), moves)}
        if not worst or figures["wrong"] > worst["wrong"]:
            worst = figures
    return worst


def reseeded(replay: Probed, intervention: Reseed) -> Trial:
    """How far gradients of the same step agree whose random numbers differ: the mean cosine."""
    drawn = [(call, name) for call in _drawing(replay, intervention.ops) for name in call.outputs]
    recorded = {name: (call.name, tensor) for call, name in drawn if (tensor := replay.find(name)) is not None}
    if not recorded:
        return Trial(intervention, reason="the draws are not part of the replayed step")
    found = [replay.substituted(_drawn(recorded, seed)) for seed in SEEDS]
    cosines = [cosine for one, other in combinations(found, 2) if (cosine := _cosine(one, other)) is not None]
    if not cosines:
        return Trial(intervention, reason="the gradient is zero or not finite")
    return Trial(intervention, figures={"cosine": sum(cosines) / len(cosines)})


def _drawing(replay: Probed, ops: tuple[str, ...]) -> list[Call]:
    """The calls within these library functions that draw numbers which can be drawn anew."""
    groups = {replay.producer[name].group for name in ops if name in replay.producer} - {None}
    return [call for call in replay.calls if call.group in groups and call.name in UNIFORM + NORMAL]


def _drawn(recorded: Mapping[str, tuple[str, Any]], seed: int) -> dict[str, Any]:
    """Other numbers of the same distribution, shape and type."""
    draw = np.random.default_rng(seed)
    return {
        name: tf.cast(draw.random(tensor.shape) if kind in UNIFORM else draw.standard_normal(tensor.shape), tensor.dtype)
        for name, (kind, tensor) in recorded.items()
    }


def _cosine(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> float | None:
    """The cosine of two gradients over all parameters; None where one is zero or not finite."""
    names = sorted(one.keys() & other.keys())
    with np.errstate(all="ignore"):
        flat = [np.concatenate([wide(gradients[name]).reshape(-1) for name in names]) for gradients in (one, other) if names]
        size = float(np.linalg.norm(flat[0]) * np.linalg.norm(flat[1])) if flat else 0.0
        return float(flat[0] @ flat[1]) / size if 0 < size < float("inf") else None
