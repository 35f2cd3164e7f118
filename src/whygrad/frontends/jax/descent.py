"""A few updates on copies of the parameters, by the rules of the commonest optimizers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax.numpy as jnp
import numpy as np

from whygrad.frontends.jax.evaluation import Change
from whygrad.ir import Descend, Trial

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


class Stepping(Protocol):
    """What is asked of the replay."""

    rule: Rule | None
    arrays: Mapping[int, Any]
    numbers: Mapping[str, int]
    parameters: Mapping[int, str]

    def gradients(self, change: Change, moving: Mapping[int, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Loss and gradients by parameter name."""


class Descent:
    """Descents of one recorded step."""

    def __init__(self, replay: Stepping) -> None:
        self.replay = replay

    def run(self, descent: Descend) -> Trial:
        """A few updates with the change, and as many without; raises `CopyError`."""
        if descent.activate or descent.control:
            raise CopyError("descents with further activations, or with permuted labels beside them, are not made for JAX programs")
        rule = self.replay.rule
        if rule is None:
            raise CopyError("no optimizer whose updates can be followed is known")
        if sum(np.size(self.replay.arrays[number]) for number in self.replay.parameters) > LARGEST:
            raise CopyError("the model is too large to be copied for an experiment")
        changed = self._losses(descent.steps, rule, descent)
        return Trial(descent, loss=changed[-1], losses=changed, plain=self._losses(descent.steps, rule, None))

    def _losses(self, steps: int, rule: Rule, change: Descend | None) -> tuple[float, ...]:
        """The loss before the first update and after each."""
        names = change.standardise if change else ()
        given = {self.replay.numbers[name]: standardised(self.replay.arrays[self.replay.numbers[name]]) for name in names}
        moving = {number: jnp.asarray(self.replay.arrays[number]) for number in self.replay.parameters}
        movers = {number: _Mover(rule, change) for number in moving}
        losses: list[float] = []
        for step in range(steps + 1):
            loss, found = self.replay.gradients(Change(given), moving)
            losses.append(float(np.asarray(loss).astype(np.float64).sum()))
            for number, name in self.replay.parameters.items() if step < steps else ():
                moving[number] = movers[number].moved(moving[number], found[name])
        return tuple(losses)


@dataclass(slots=True)
class _Mover:
    """What the optimizer remembers of one parameter."""

    rule: Rule
    change: Descend | None
    steps: int = 0
    memory: dict[str, Any] = field(default_factory=dict)

    def moved(self, parameter: Any, gradient: Any) -> Any:
        """The parameter after one update."""
        self.steps += 1
        rate = self.rule.rate * (self.change.factor if self.change else 1.0)
        decay = float(self.rule.settings.get("weight_decay", 0.0) or 0.0)
        after = parameter - rate * decay * parameter if decay else parameter
        return (after - rate * self._direction(gradient)).astype(parameter.dtype)

    def _direction(self, gradient: Any) -> Any:
        settings = self.rule.settings
        if self.rule.native == "SGD":
            momentum = float(settings.get("momentum", 0.0) or 0.0)
            if not momentum:
                return gradient
            held = self.memory["momentum"] = self.memory.get("momentum", 0.0) * momentum + gradient
            return held
        changed = self.change.epsilon if self.change is not None else None
        epsilon = float(settings.get("eps", 1e-8)) if changed is None else changed
        if self.rule.native == "RMSprop":
            square = self._average("square", gradient * gradient, float(settings.get("decay", 0.9)))
            return gradient / (jnp.sqrt(square) + epsilon)
        first, second = float(settings.get("beta1", settings.get("b1", 0.9))), float(settings.get("beta2", settings.get("b2", 0.999)))
        mean = self._average("mean", gradient, first) / (1 - first**self.steps)
        square = self._average("square", gradient * gradient, second) / (1 - second**self.steps)
        return mean / (jnp.sqrt(square) + epsilon)

    def _average(self, name: str, item: Any, weight: float) -> Any:
        self.memory[name] = self.memory.get(name, jnp.zeros_like(item)) * weight + item * (1 - weight)
        return self.memory[name]


def standardised(array: Any) -> Any:
    """Mean 0 and standard deviation 1 in each column; constant columns become 0."""
    values = np.asarray(array)
    wide = values.astype(np.float64)
    axes = tuple(range(max(1, values.ndim - 1)))
    mean, spread = wide.mean(axes, keepdims=True), wide.std(axes, keepdims=True)
    return jnp.asarray(((wide - mean) / np.where(spread > 0, spread, 1.0)).astype(values.dtype))
