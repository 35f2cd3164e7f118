"""A custom derivative beside finite differences of what the function computes."""

from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from whygrad.frontends.differences import SINGLE, compared
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.births import Replayed, forward
from whygrad.frontends.jax.evaluation import call
from whygrad.frontends.jax.tape import Bound, Constant
from whygrad.ir import Differentiate, Trial


def against_differences(replay: Replayed, intervention: Differentiate) -> Trial:
    """What the custom rule says, and what moving single entries says."""
    wanted = {replay.numbers.get(name) for name in intervention.ops[:1]}
    bound = next((item for item in replay.engine.bounds if not wanted.isdisjoint(item.outputs)), None)
    if bound is None:
        return Trial(intervention, reason="the op is not part of the replayed step")
    environment = forward(replay).environment
    read = [item.value if isinstance(item, Constant) else environment[item] for item in bound.inputs]
    return Trial(intervention, figures=_figures(_Function(bound, read, _asked(replay, bound))))


def _asked(replay: Replayed, bound: Bound) -> list[bool]:
    """For each input of a call whether anything asks for its derivative; of constants and labels a backward may say what it likes."""
    values = replay.graph.values
    wanted = {number for name, number in replay.numbers.items() if name in values and values[name].differentiable}
    return [not isinstance(item, Constant) and (item in wanted or item in replay.parameters) for item in bound.inputs]


class _Function:
    """One call as a function of the floating inputs whose derivative is asked for, summed with fixed weights to a number."""

    def __init__(self, bound: Bound, read: list[Any], asked: list[bool]) -> None:
        self.bound, self.read = bound, read
        floating = [jnp.issubdtype(jnp.asarray(item).dtype, jnp.floating) for item in read]
        self.places = [at for at, (of_numbers, wanted) in enumerate(zip(floating, asked, strict=True)) if of_numbers and wanted]
        draw = np.random.default_rng(0)
        self.weights = [jnp.asarray(draw.standard_normal(np.shape(item)), jnp.float32) for item in self.outputs(self.inputs)]

    @property
    def inputs(self) -> list[Any]:
        """What is moved."""
        return [jnp.asarray(self.read[at]) for at in self.places]

    def outputs(self, moving: list[Any]) -> list[Any]:
        """What the call returns for other inputs."""
        given = list(self.read)
        for at, item in zip(self.places, moving, strict=True):
            given[at] = item
        return [item for item in call(self.bound, given) if jnp.issubdtype(item.dtype, jnp.floating)]

    def total(self, moving: list[Any]) -> Any:
        """The weighted sum of the outputs."""
        return sum(jnp.sum(weight * item) for weight, item in zip(self.weights, self.outputs(moving), strict=True))

    def slope(self, which: int, entry: tuple[int, ...], move: float) -> float:
        """The central difference quotient at one entry of one input."""
        sides = []
        for sign in (1.0, -1.0):
            moving = self.inputs
            moving[which] = moving[which].at[entry].add(sign * move)
            sides.append(float(self.total(moving)))
        return (sides[0] - sides[1]) / (2 * move)


def _figures(function: _Function) -> dict[str, float]:
    """Entries checked, and of those how many are wrong, point the other way, or are zero; for the input that is worst."""
    inputs = function.inputs
    if any(one.shape == other.shape and bool((one == other).all()) for one in function.outputs(inputs) for other in inputs[:1]):
        return {"identity": 1.0}
    given = _compat.ORIGINALS.grad(function.total)(inputs)
    worst: dict[str, float] = {}
    for which, (item, slopes) in enumerate(zip(inputs, given, strict=True)):
        counted = compared(np.asarray(item), np.asarray(slopes), partial(function.slope, which), SINGLE)
        figures = {"input": float(function.places[which]), **counted}
        if not worst or figures["wrong"] > worst["wrong"]:
            worst = figures
    return worst
