"""Programs that run under `vmap`: JAX makes another one of each for all rows at once, and what is asked within lies in the one that it was made of."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax

from whygrad.frontends.jax import _compat

CALLS = ("scan", "while", "cond", "jit", "pjit", "closed_call", "core_call", "remat2", "checkpoint")
"""Primitives that hold a program of the user's."""


@dataclass(frozen=True, slots=True)
class Level:
    """One `vmap` around a program."""

    size: int
    name: Any
    """What collective functions know it by."""
    axes: tuple[int | None, ...] = ()
    """For each input of the call, the axis that its rows lie along; None where all rows share it."""
    held: frozenset[Any] = frozenset()
    """Variables of the programs within that hold one row for each example."""
    tag: int = 0
    """The identity of what JAX tells this `vmap` from others by: what a function closes over stands for a row of it."""
    token: Any = None
    """What has that identity."""


@dataclass(frozen=True, slots=True)
class Batched:
    """A call of a program under `vmap`, in the place of the equation that JAX makes of it."""

    primitive: Any
    params: Mapping[str, Any]
    invars: tuple[Any, ...]
    """What the program around has for its inputs, all rows of each."""
    outvars: tuple[Any, ...]
    levels: tuple[Level, ...]
    """The innermost first."""
    loop: bool = False
    """JAX runs it row by row: a loop that hands no state on."""


MOST_ROWS = 64
"""Rows of such a loop that are looked at: programs choose it where all of them take too much memory."""


def as_rows(equation: Any) -> Any:
    """A loop that hands no state on, such as `lax.map`, does the same with each row as `vmap` does; any other equation as it is."""
    if isinstance(equation, Batched) or equation.primitive.name != "scan" or equation.params["num_carry"] or equation.params["length"] < 2:  # noqa: PLR2004 - one row is no batch
        return equation
    params = equation.params
    fixed = int(params["num_consts"])
    axes = tuple(None if at < fixed else 0 for at in range(len(equation.invars)))
    level = Level(min(int(params["length"]), MOST_ROWS), None, axes)
    return Batched(equation.primitive, params, tuple(equation.invars), tuple(equation.outvars), (level,), loop=True)


def cut(equation: Any, given: Sequence[Any]) -> list[Any]:
    """What such a loop is given, for the rows that are looked at."""
    if not (isinstance(equation, Batched) and equation.loop):
        return list(given)
    level = equation.levels[0]
    return [item if axis is None else item[: level.size] for item, axis in zip(given, level.axes, strict=True)]


def met(primitive: Any, tracers: Sequence[Any], params: Mapping[str, Any], result: Any) -> Batched | None:
    """A call that was just traced; None for what holds no program, or where its rows are of no traced program."""
    if primitive.name not in CALLS:
        return None
    found = [_compat.mapped(item) for item in tracers]
    known = {level.tag: level for levels in found for level in levels}
    inputs = tuple(_compat.atom(item) for item in tracers)
    if not known or any(item is None for item in inputs):
        return None
    order = sorted(known.values(), key=lambda level: -level.depth)
    levels = [Level(o.size, o.name, tuple(_axis(own, o.tag) for own in found), tag=o.tag, token=o.token) for o in order]
    outputs = tuple(_compat.variable(item) for item in (result if isinstance(result, list | tuple) else (result,)))
    return Batched(primitive, dict(params), inputs, outputs, tuple(levels))


def _axis(own: Sequence[_compat.Mapped], tag: int) -> int | None:
    return next((level.axis for level in own if level.tag == tag), None)


def levels_within(path: Sequence[tuple[Any, Any]]) -> tuple[Level, ...]:
    """Each `vmap` around the innermost of these programs, the innermost first, with the variables that hold rows of it."""
    found: list[Level] = []
    for at, (equation, inner) in enumerate(path):
        if isinstance(equation, Batched):
            own = [replace(level, held=_held(level, (equation, inner), path[at + 1 :])) for level in equation.levels]
            found = [*own, *found]
    return tuple(found)


def _held(level: Level, first: tuple[Any, Any], rest: Sequence[tuple[Any, Any]]) -> frozenset[Any]:
    """The variables that differ from row to row, in the programs of a path from the call under `vmap` on."""
    equation, inner = first
    found = _spread(equation, inner, [axis is not None for axis in level.axes], level.name)
    for equation, inner in rest:
        found |= _spread(equation, inner, [_in(item, found) for item in equation.invars], level.name)
    return frozenset(found)


def _in(item: Any, found: Collection[Any]) -> bool:
    return not _compat.is_literal(item) and item in found


def _spread(equation: Any, inner: Any, given: Sequence[bool], name: Any) -> set[Any]:
    """The variables of a program within an equation that differ from row to row, if these inputs of the equation do."""
    flags, params = list(given), equation.params
    first, count = 0, 0
    if equation.primitive.name == "scan":
        first, count = int(params["num_consts"]), int(params["num_carry"])
    elif equation.primitive.name == "while":
        flags = flags[int(params["cond_nconsts"]) :]
        first = int(params["body_nconsts"])
        count = len(flags) - first
    elif equation.primitive.name == "cond":
        flags = flags[1:]
    while True:
        found = _reached(inner.jaxpr, flags, name)
        again = [_in(item, found) or flags[first + at] for at, item in enumerate(inner.jaxpr.outvars[:count])]
        if again == flags[first : first + count]:
            return found
        flags[first : first + count] = again


def _reached(jaxpr: Any, flags: Sequence[bool], name: Any) -> set[Any]:
    found = {item for item, flag in zip(jaxpr.invars, flags, strict=False) if flag}
    for equation in jaxpr.eqns:
        asked = equation.params.get("axis_name", equation.params.get("axes", ()))
        if any(_in(item, found) for item in equation.invars) or name in (asked if isinstance(asked, tuple | list) else (asked,)):
            found.update(equation.outvars)
    return found


def over_rows(function: Callable[..., list[Any]], levels: Sequence[Level], given: Sequence[Any], made: Sequence[Any]) -> Any:
    """A function from variables of a program under `vmap` to others, for all rows of each at once."""
    for level in levels:
        function = mapped(function, level, [0 if _in(item, level.held) else None for item in given], made)
    return function


def mapped(function: Callable[..., list[Any]], level: Level, axes: Sequence[int | None], made: Sequence[Any]) -> Callable[..., list[Any]]:
    """The same function for all rows of one `vmap`; what they share is handed out once."""
    several = jax.vmap(function, in_axes=tuple(axes), axis_size=level.size, axis_name=level.name)

    def run(*items: Any) -> list[Any]:
        return [item if _in(variable, level.held) else item[0] for variable, item in zip(made, several(*items), strict=True)]

    return run
