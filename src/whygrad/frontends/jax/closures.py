"""Compiled functions without a derivative, evaluations as a rule, that took the first parameters in when they were traced, and go on reading them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import jax
import numpy as np

from whygrad.frontends import source
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.assembly import Part, digest
from whygrad.frontends.jax.building import Builder
from whygrad.frontends.jax.derivations import leaves, user_function
from whygrad.frontends.jax.evaluation import deleted
from whygrad.frontends.jax.flattening import places
from whygrad.frontends.jax.settled import Settled
from whygrad.frontends.jax.tape import Bound
from whygrad.ir import Event, Step

First = dict[str, tuple[str, tuple[int, ...]]]
"""Parameter name to its contents in short, and its shape."""
MOST = 64
"""Compiled functions that are looked at."""


class Owner(Protocol):
    """What is asked of the recorder."""

    builder: Builder
    index: int


@dataclass(slots=True)
class Held:
    """A compiled function in which all parameters of a recorded step are constants."""

    function: Any
    """The user's."""
    inner: Any
    """Its compiled form; held, so that it stays known."""
    variable: str
    """The name around it under which it read them; "" where there is none."""
    array: Any
    """One of them."""
    names: tuple[str, ...]
    given: bool
    """It is handed arrays of the same shapes as well, and reads none of them."""
    site: source.Trace | None
    calls: int = 0
    """Those at which the program had parameters that are newer."""


class Closures:
    """What is known of them over the run."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.first: dict[str, First] = {}
        """What each derivative of the first recorded steps was taken by."""
        self.known: dict[int, Held | None] = {}
        self.settled = Settled(owner)

    def met(self, parts: Sequence[Part]) -> None:
        """A recorded step begins with these parameters: the first ones of each derivative are kept."""
        for part in parts:
            moving = [(p.path, part.arrays[p.number]) for p in part.program.derivation.parameters if p.number in part.arrays]
            found = {path: (digest(item), np.shape(item)) for path, item in moving if np.ndim(item) > 1 and not deleted(item)}
            if found:
                self.first.setdefault(" ".join(found), found)

    def called(self, jitted: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A compiled function in which nothing is differentiated or updated has been called."""
        if not self.first or (id(jitted.inner) not in self.known and len(self.known) >= MOST):
            return
        if id(jitted.inner) not in self.known:
            self.known[id(jitted.inner)] = self._looked_at(jitted, args, kwargs)
        held = self.known[id(jitted.inner)]
        if held is not None and self.owner.index > 1 and (held.given or _bound_anew(held)):
            held.calls += 1

    def _looked_at(self, jitted: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Held | None:
        if any(deleted(leaf) for leaf in jax.tree_util.tree_leaves((args, kwargs))):
            return None
        closed, flat = _compat.traced(jitted.inner, args, kwargs)
        constants = {digest(item): item for item in closed.consts if np.ndim(item) > 1 and not deleted(item)}
        function = user_function(jitted.inner)
        for first in self.first.values() if constants else ():
            same = all(content in constants for content, _ in first.values())
            array = constants[next(iter(first.values()))[0]] if same else _taken_from(function, constants.values(), first)
            if array is not None:
                # timid: other weights of these shapes, a teacher's, may be meant, unless their variable is bound anew
                given = same and _unread(closed, flat, first)
                site = _read_at(closed, array, getattr(function, "__code__", None))
                return Held(function, jitted.inner, _name(function, array), array, tuple(first), given, site)
        return None

    def told(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """The steps, the last one with what such functions read, and with what the compiled steps themselves have settled."""
        steps = self.settled.told(steps)
        found = [held for held in self.known.values() if held is not None and held.calls]
        if not found or not steps:
            return steps
        events = tuple(
            Event(
                "outdated",
                len(steps[-1].graph.ops),
                held.names,
                self.owner.builder.site(held.site),
                {"function": getattr(held.function, "__name__", ""), "variable": held.variable, "calls": held.calls, "given": held.given},
            )
            for held in found
        )
        return (*steps[:-1], replace(steps[-1], events=(*steps[-1].events, *events)))


def _bound_anew(held: Held) -> bool:
    """The variable around the function holds another array in the place of the one that was taken in."""
    if not held.variable:
        return False
    now = dict(_around(held.function)).get(held.variable)
    return now is not None and not any(item is held.array for item in leaves(now)) and _alike(now, held.array)


def _alike(tree: Any, array: Any) -> bool:
    return any(np.shape(item) == np.shape(array) and digest(item) != digest(array) for item in leaves(tree) if _compat.is_array(item))


def _unread(closed: Any, flat: Sequence[Any], own: First) -> bool:
    """Among the arguments that a traced program never reads are arrays of all these shapes."""
    read = {id(item) for equation in closed.jaxpr.eqns for item in equation.invars} | {id(item) for item in closed.jaxpr.outvars}
    shapes = [np.shape(item) for variable, item in zip(closed.jaxpr.invars, flat, strict=False) if id(variable) not in read]
    return all(shape in shapes for _, shape in own.values())


def _taken_from(function: Any, constants: Collection[Any], own: First) -> Any:
    """One of the constants, if all parameters' shapes are among those that one variable around the function holds."""
    known, wanted = {id(item) for item in constants}, [shape for _, shape in own.values()]
    for _, tree in _around(function):
        held = [item for item in leaves(tree) if id(item) in known]
        if all(shape in [np.shape(item) for item in held] for shape in wanted):
            return next(item for item in held if np.shape(item) == wanted[0])
    return None


def _name(function: Any, array: Any) -> str:
    return next((name for name, tree in _around(function) if any(item is array for item in leaves(tree))), "")


def _around(function: Any) -> Iterator[tuple[str, Any]]:
    """The variables around a function that it may read, with what they hold now."""
    code = getattr(function, "__code__", None)
    if code is None:
        return
    around = getattr(function, "__globals__", {})
    yield from ((name, around[name]) for name in code.co_names if name in around)
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue


def _read_at(closed: Any, array: Any, code: Any) -> source.Trace | None:
    """Where the function reads the constant, in its own lines."""
    variable = next((v for v, item in zip(closed.jaxpr.constvars, closed.consts, strict=False) if item is array), None)
    equation = next((e for e in closed.jaxpr.eqns if any(item is variable for item in e.invars)), None)
    trace = places(equation, Bound(None, {}, (), (), None))[0] if equation is not None else None
    at = next((at for at, point in enumerate(trace.user) if point[0] is code), 0) if trace is not None else 0
    return source.Trace(trace.user[at:], ()) if trace is not None else None
