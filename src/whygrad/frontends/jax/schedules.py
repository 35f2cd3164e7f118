"""Learning rates that a function of the user's computes: what JAX traced of it, as a function of the count of updates alone."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from whygrad.frontends import source
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.evaluation import concrete
from whygrad.frontends.jax.nesting import nest_of

RATES = ("learning_rate", "step_size_fn")
"""Arguments of optax's that may be a function of the count of updates."""


class Schedule:
    """Stands for a function of the user's that gives a rate, and hands every call on to it: it is never called for our own sake."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.last: tuple[Any, Any] | None = None
        """The count that it was called with last, and what it gave."""
        self.known: Callable[[int], Any] | None = None
        """The same function, as JAX traced it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        rate = self.function(*args, **kwargs)
        self.last = (args[0] if args else None, rate)
        return rate

    def at(self, step: int) -> Any:
        """The rate of the update that is the `step`th since the optimizer's state was begun; None where that is not known."""
        if self.known is not None:
            return self.known(step)
        count, rate = (concrete(item) if _compat.is_tracer(item) else item for item in self.last or (None, None))
        return rate if count is not None and int(np.asarray(count)) == step else None

    @property
    def told(self) -> bool:
        """Something is known of what it gives."""
        return self.known is not None or (self.last is not None and not any(_compat.is_tracer(item) for item in self.last))

    def learn(self, closed: Any) -> None:
        """A program was traced in which it may have been called."""
        if self.last is not None and _compat.is_tracer(self.last[0]):
            count, rate = self.last
            self.known, self.last = function_of(closed, count, rate) or self.known, None


def function_of(closed: Any, count: Any, rate: Any) -> Callable[[int], Any] | None:
    """A function from the count to the rate that a traced program computes of it; None where it reads anything else."""
    if not _compat.is_tracer(rate):
        return lambda _: rate
    given, wanted = _compat.variable(count), _compat.variable(rate)
    if given is None or wanted is None or (nest := nest_of(closed, [given, wanted])) is None:
        return None
    between, kind = _compat.between(nest.owner, given, wanted), given.aval.dtype
    run = _compat.ORIGINALS.jit(between) if between is not None else None
    return (lambda step: run(jnp.asarray(step, kind))) if run is not None else None


def standing_in(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """The arguments of a transformation, with what stands for the user's functions that give its rate."""
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return args, kwargs
    users = {name: Schedule(item) for name in RATES if (item := bound.arguments.get(name)) is not None and _is_users(item)}
    if not users:
        return args, kwargs
    bound.arguments.update(users)
    return bound.args, bound.kwargs


def _is_users(item: Any) -> bool:
    return inspect.isfunction(item) and source.is_user(item.__code__)
