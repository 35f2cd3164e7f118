"""A few updates on copies of the parameters, by the rules of the commonest optimizers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import jax.numpy as jnp
import numpy as np

from whygrad.frontends.descents import bent
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.evaluation import Change
from whygrad.ir import Descend, Graph, Trial

LONGEST = 2.0
"""Seconds that each of four descents may take; a second step is compiled for those without the change."""
COMPILING = 3.0
"""Seconds more for the first of them, which compiles: 2.0 of its 2.1 for a Keras model of four layers, the other three together take 0.4."""
LARGEST = 50_000_000
"""Entries of all parameters together up to which they are copied."""


class CopyError(Exception):
    """The parameters can't be copied and moved; the message says why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The program's optimizer, as far as it is known."""

    native: str
    rate: float
    settings: Mapping[str, Any] = field(default_factory=dict)
    limit: float = math.inf
    """Norm that no whole update exceeds, by a clipping behind the optimizer."""

    @property
    def method(self) -> str:
        """How it makes an update of a gradient."""
        if self.native == "SGD":
            return "momentum" if self.settings.get("momentum") else "SGD"
        return "RMSprop" if self.native == "RMSprop" else "Adam"


class Stepping(Protocol):
    """What is asked of the replay."""

    rule: Rule | None
    arrays: Mapping[int, Any]
    numbers: Mapping[str, int]
    parameters: Mapping[int, str]

    graph: Graph

    def gradients(self, change: Change, moving: Mapping[int, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Loss and gradients by parameter name."""

    def permuted(self, names: Sequence[str]) -> dict[int, Any]:
        """The labels in another order, all in the same one."""

    def forwarded(self, given: dict[int, Any]) -> dict[int, Any]:
        """The same change where the program reads it."""

    def once_compiled(self) -> "Stepping":
        """The same step as one compiled function."""


class Descent:
    """Descents of one recorded step."""

    def __init__(self, replay: Stepping) -> None:
        self.replay = replay

    def run(self, descent: Descend) -> Trial:
        """A few updates with the change, and as many without; raises `CopyError`."""
        rule = self.replay.rule
        if rule is None:
            raise CopyError("no optimizer whose updates can be followed is known")
        if sum(np.size(self.replay.arrays[number]) for number in self.replay.parameters) > LARGEST:
            raise CopyError("the model is too large to be copied for an experiment")
        if any(np.iscomplexobj(self.replay.arrays[number]) for number in self.replay.parameters):
            raise CopyError("parameters that are complex numbers are not followed")
        if descent.activate:
            return self._bent(descent, rule)
        changed = self._losses(descent.steps, rule, descent)
        return Trial(
            descent, loss=changed[-1], losses=changed, plain=self._losses(descent.steps, rule, None, still=(*descent.joined, *descent.thaw))
        )

    def _bent(self, descent: Descend, rule: Rule) -> Trial:
        """With and without ReLUs, on the labels as they are and on permuted ones, which show what is gained by learning the batch by heart."""
        given, still = self.replay.forwarded(self.replay.permuted(descent.control)), self._still()
        compiled = Descent(self.replay.once_compiled())

        def losses(change: Descend | None, permuted: bool) -> tuple[float, ...]:  # noqa: FBT001 - one of four descents
            activated = frozenset(self.replay.numbers[name] for name in change.activate) if change else frozenset[int]()
            base = Change(given if permuted else {}, activated=activated, handed=still)
            return compiled._losses(descent.steps, rule, change, base)

        return bent(descent, losses, LONGEST, COMPILING)

    def _still(self) -> dict[int, int]:
        """The results of dropout, whose masks stay the same and mark the examples, with what they were made of."""
        pairs = [(op.output, op.inputs[0]) for op in self.replay.graph.ops if op.kind == "dropout" and op.inputs and op.outputs]
        numbers = self.replay.numbers
        return {numbers[made]: numbers[given] for made, given in pairs if made in numbers and given in numbers}

    def _losses(
        self, steps: int, rule: Rule, change: Descend | None, base: Change | None = None, still: tuple[str, ...] = ()
    ) -> tuple[float, ...]:
        """The loss before the first update and after each. `still`: parameters that are not moved."""
        base = base or Change()
        names = change.standardise if change else ()
        given = {**base.given} | {self.replay.numbers[name]: standardised(self.replay.arrays[self.replay.numbers[name]]) for name in names}
        moving = {number: jnp.asarray(self.replay.arrays[number]) for number in self.replay.parameters}
        move = _compat.ORIGINALS.jit(_moved, static_argnums=0)
        memory = {number: (np.zeros_like(item), np.zeros_like(item)) for number, item in moving.items()}
        losses: list[float] = []
        for step in range(steps + 1):
            loss, found = self.replay.gradients(replace(base, given=given), moving)
            losses.append(float(np.asarray(loss).astype(np.float64).sum()))
            if step < steps:
                gradients = {number: found[name] for number, name in self.replay.parameters.items()}
                moved, memory = move(rule.method, _figures(rule, change, step + 1), moving, gradients, memory)
                moving = {number: moving[number] if self.replay.parameters[number] in still else item for number, item in moved.items()}
        return tuple(losses)


def _figures(rule: Rule, change: Descend | None, steps: int) -> dict[str, float]:
    """The numbers of one update; given to the compiled function, so that it is compiled once for all descents."""
    settings, changed, decay = rule.settings, change.epsilon if change is not None else None, change.decay if change is not None else None
    first, second = float(settings.get("beta1", settings.get("b1", 0.9))), float(settings.get("beta2", settings.get("b2", 0.999)))
    return {
        "rate": rule.rate * (change.factor if change else 1.0),
        "decay": float(settings.get("weight_decay", 0.0) or 0.0) if decay is None else decay,
        "momentum": float(settings.get("momentum", 0.0) or 0.0),
        "epsilon": float(settings.get("eps", 1e-8)) if changed is None else changed,
        "first": first,
        "second": second if rule.native != "RMSprop" else float(settings.get("decay", 0.9)),
        "first_left": 1 - first**steps,
        "second_left": 1 - second**steps if rule.native != "RMSprop" else 1.0,
        "limit": rule.limit if change is None or not change.unlimited else math.inf,
    }


def _moved(
    method: str, figures: Mapping[str, Any], parameters: Mapping[int, Any], gradients: Mapping[int, Any], memory: Mapping[int, Any]
) -> tuple[dict[int, Any], dict[int, Any]]:
    """All parameters after one update, and what the optimizer remembers of each: one compiled function, not one for each op and shape."""
    steps: dict[int, Any] = {}
    kept: dict[int, Any] = {}
    for number, parameter in parameters.items():
        direction, kept[number] = _direction(method, figures, gradients[number], *memory[number])
        steps[number] = figures["rate"] * (figures["decay"] * parameter + direction)
    size = jnp.sqrt(sum(jnp.sum(jnp.square(step.astype(jnp.float32))) for step in steps.values()))
    left = jnp.where(size > figures["limit"], figures["limit"] / size, 1.0)
    return {n: (parameter - left * steps[n]).astype(parameter.dtype) for n, parameter in parameters.items()}, kept


def _direction(method: str, figures: Mapping[str, Any], gradient: Any, mean: Any, square: Any) -> tuple[Any, tuple[Any, Any]]:
    """Where an optimizer goes with this gradient, and its averages of gradients and of their squares."""
    if method == "SGD":
        return gradient, (mean, square)
    if method == "momentum":
        held = mean * figures["momentum"] + gradient
        return held, (held, square)
    square = square * figures["second"] + gradient * gradient * (1 - figures["second"])
    root = jnp.sqrt(square / figures["second_left"]) + figures["epsilon"]
    if method == "RMSprop":
        return gradient / root, (mean, square)
    mean = mean * figures["first"] + gradient * (1 - figures["first"])
    return mean / figures["first_left"] / root, (mean, square)


def standardised(array: Any) -> Any:
    """Mean 0 and standard deviation 1 in each column; constant columns become 0."""
    values = np.asarray(array)
    wide = values.astype(np.float64)
    axes = tuple(range(max(1, values.ndim - 1)))
    mean, spread = wide.mean(axes, keepdims=True), wide.std(axes, keepdims=True)
    return jnp.asarray(((wide - mean) / np.where(spread > 0, spread, 1.0)).astype(values.dtype))
