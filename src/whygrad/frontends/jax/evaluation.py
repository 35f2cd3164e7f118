"""Runs flat programs: on concrete values, with something changed, and with its derivative."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp

from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.tape import Bound, Constant

Environment = dict[int, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What is done otherwise than in the program."""

    given: Mapping[int, Any] = field(default_factory=dict)
    """Values that are replaced wherever they come from."""
    through: frozenset[int] = frozenset()
    """Outputs of calls that hand their first input on, gradient and all."""
    reshaped: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    activated: frozenset[int] = frozenset()
    """Values that go through a ReLU where they are made."""
    handed: Mapping[int, int] = field(default_factory=dict)
    """Values that are what another one is: the result of a call that is left out, and what it was given."""


def run(bounds: Sequence[Bound], environment: Environment, change: Change) -> None:
    """Run a flat program; `environment` holds what it reads and receives what it makes."""
    environment.update(change.given)
    for bound in bounds:
        if bound.failed or all(number in change.given for number in bound.outputs):
            continue
        read = [item.value if isinstance(item, Constant) else _shaped(environment[item], item, change) for item in bound.inputs]
        made = read[:1] if not change.through.isdisjoint(bound.outputs) else call(bound, read)
        environment.update(
            (n, _made(item, n, environment, change)) for n, item in zip(bound.outputs, made, strict=False) if n not in change.given
        )


def _made(item: Any, number: int, environment: Environment, change: Change) -> Any:
    if number in change.handed:
        return environment[change.handed[number]]
    return jnp.maximum(item, 0) if number in change.activated else item


def _shaped(item: Any, number: int, change: Change) -> Any:
    return jnp.reshape(item, change.reshaped[number]) if number in change.reshaped else item


def call(bound: Bound, read: Sequence[Any]) -> list[Any]:
    """What one equation makes of its inputs."""
    if bound.again is not None:
        return list(bound.again(*read))
    if bound.primitive is None:
        return list(read[:1])
    return _compat.bind(bound.primitive, bound.params, read)


class Engine:
    """One derivative's program, ready to be run again: compiled where the program compiles it too, primitive by primitive where it does not."""

    def __init__(
        self, bounds: Sequence[Bound], losses: Sequence[int], moving: Sequence[int], fixed: Mapping[int, Any], *, compiled: bool
    ) -> None:
        self.bounds = list(bounds)
        self.losses = tuple(losses)
        self.moving = tuple(moving)
        self.fixed = dict(fixed)
        self.compiled = compiled
        self.watched: tuple[int, ...] = ()
        """Values that are handed out beside the loss."""
        self._functions: dict[Any, Callable[..., Any]] = {}

    def gradients(self, values: Mapping[int, Any], change: Change | None = None) -> tuple[Any, dict[int, Any], dict[int, Any]]:
        """The loss, the watched values and the gradients, for these values of what is differentiated."""
        change = change or Change()
        fixed = {**self.fixed, **{number: item for number, item in change.given.items() if number in self.fixed}}
        made = {number: item for number, item in change.given.items() if number not in self.fixed}
        key = (change.through, tuple(change.reshaped.items()), change.activated, tuple(change.handed.items()), tuple(made))
        if key not in self._functions:
            function = self._function(replace(change, given={}))
            self._functions[key] = _compat.ORIGINALS.jit(function) if self.compiled else function
        (loss, seen), found = self._functions[key]([values[number] for number in self.moving], fixed, made)
        return loss, seen, dict(zip(self.moving, found, strict=True))

    def _function(self, change: Change) -> Callable[..., Any]:
        def total(moving: list[Any], fixed: dict[int, Any], made: dict[int, Any]) -> tuple[Any, dict[int, Any]]:
            environment = {**fixed, **dict(zip(self.moving, moving, strict=True))}
            run(self.bounds, environment, replace(change, given=made))
            # timid: of several losses the sum stands for them all
            loss = sum(jnp.sum(environment[number]) for number in self.losses)
            return loss, {number: environment[number] for number in self.watched if number in environment}

        made: Callable[..., Any] = _compat.ORIGINALS.value_and_grad(total, has_aux=True)
        return made

    def once_compiled(self) -> "Engine":
        """The same program as one compiled function: for what is run many times, and need not agree with the program to the last digit."""
        return self if self.compiled else Engine(self.bounds, self.losses, self.moving, self.fixed, compiled=True)

    def beginning_with(self, bounds: Sequence[Bound], fixed: Mapping[int, Any]) -> "Engine":
        """The program with calls in front of it that it makes itself then; `fixed` holds what these read."""
        return Engine([*bounds, *self.bounds], self.losses, self.moving, {**fixed, **self.fixed}, compiled=self.compiled)

    def values(self, numbers: Sequence[int], moving: Mapping[int, Any], change: Change | None = None) -> dict[int, Any]:
        """The forward alone, perhaps with values of its own replaced."""

        def forward(environment: Environment, given: Environment) -> dict[int, Any]:
            held = dict(environment)
            run(self.bounds, held, Change(given))
            return {number: held[number] for number in numbers if number in held}

        function = _compat.ORIGINALS.jit(forward) if self.compiled else forward
        found: dict[int, Any] = function({**self.fixed, **moving}, dict(change.given) if change else {})
        return found


def concrete(item: Any) -> Any | None:
    """The array that an object of the program stands for, all rows of a `vmap` with it, in front; None while it is only traced."""
    inner = _compat.rows_first(item)
    return inner if _compat.is_array(inner) and not _compat.is_tracer(inner) else _compat.constant(inner)


def deleted(item: Any) -> bool:
    """The program has handed the memory of an array on."""
    asked = getattr(item, "is_deleted", None)
    return bool(asked()) if isinstance(item, jax.Array) and asked is not None else False
