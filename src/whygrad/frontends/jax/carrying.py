"""What becomes of parameters within a traced function: what it hands out for them, and what one turn of a loop that carries them makes of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.nesting import Nest
from whygrad.frontends.jax.programs import Program


@dataclass(frozen=True, slots=True)
class Carried:
    """Parameters by what becomes of them: one turn of a loop makes a new one, or they come from outside of all loops."""

    turned: Mapping[int, tuple[tuple[str, Any], ...]] = field(default_factory=dict)
    """For each level of a nest: names, and the variables of that program which the next turn is given."""
    outside: Mapping[str, Any] = field(default_factory=dict)
    """Names, and the variables of the outermost program that they are."""


def carried(nest: Nest, parameters: Mapping[str, Any]) -> Carried:
    """Follow parameters from the innermost program out, to the loop that carries them."""
    turned: dict[int, list[tuple[str, Any]]] = {}
    outside: dict[str, Any] = {}
    for name, variable in parameters.items():
        level, found = _climbed(nest, variable)
        if found is not None and level:
            turned.setdefault(level, []).append((name, found))
        elif found is not None:
            outside[name] = found
    return Carried({level: tuple(items) for level, items in turned.items()}, outside)


def _climbed(nest: Nest, variable: Any) -> tuple[int, Any]:
    """The level of the loop that carries a variable, with what it becomes there; level 0 with what it is there, if no loop does; None where it is lost."""
    for level in range(len(nest.path), 0, -1):
        equation, inner = nest.path[level - 1]
        at = next((at for at, item in enumerate(inner.jaxpr.invars) if item is variable), None)
        if at is None:
            return level, None
        place = _carry(equation, at)
        if place is not None:
            return level, inner.jaxpr.outvars[place]
        variable = _outer(equation, inner, at)
        if variable is None or _compat.is_literal(variable):
            return level, None
    return 0, variable


def _carry(equation: Any, at: int) -> int | None:
    """The place among a body's results of what the next turn is given here; None where the next turn is given the same, or a row of data."""
    params, name = equation.params, equation.primitive.name
    if name == "scan":
        place = at - int(params["num_consts"])
        return place if 0 <= place < int(params["num_carry"]) else None
    place = at - int(params["body_nconsts"]) if name == "while" else -1
    return place if place >= 0 else None


def _outer(equation: Any, inner: Any, at: int) -> Any:
    """The variable around an equation that a program within it is given here; None for a row of data."""
    params, name = equation.params, equation.primitive.name
    if name == "scan":
        return equation.invars[at] if at < int(params["num_consts"]) else None
    if name == "while":
        return equation.invars[int(params["cond_nconsts"]) + at]
    if name == "cond":
        return equation.invars[at + 1]
    return equation.invars[at] if len(inner.jaxpr.invars) == len(equation.invars) else None


def ends_of(nest: Nest, turned: Mapping[int, tuple[tuple[str, Any], ...]], closed: Any) -> dict[str, int]:
    """Name of each parameter that a loop carries to the place, among a function's outputs, of what the last turn has made of it."""
    found: dict[str, int] = {}
    for level, items in turned.items():
        for name, variable in items:
            place = _handed_out(nest, level, variable, closed)
            found.update({name: place} if place is not None else {})
    return found


def _handed_out(nest: Nest, level: int, variable: Any, closed: Any) -> int | None:
    """Where a result of the program at a level of a nest leaves the outermost one; None where it is dropped, or becomes a row of what all turns made."""
    for equation, inner in reversed(nest.path[:level]):
        place = _place(inner.jaxpr.outvars, variable)
        carries = int(equation.params["num_carry"]) if equation.primitive.name == "scan" else len(equation.outvars)
        if place is None or place >= carries or len(inner.jaxpr.outvars) != len(equation.outvars):
            return None
        variable = equation.outvars[place]
    return _place(closed.jaxpr.outvars, variable)


def _place(variables: Sequence[Any], variable: Any) -> int | None:
    return next((at for at, item in enumerate(variables) if item is variable), None)


def results_of(program: Program, closed: Any, variables: Mapping[str, Any]) -> dict[str, int]:
    """Parameter name to its place among a function's outputs: what stands there under the same path, in the same type."""
    inputs, outputs = _compat.argument_names(closed), _compat.result_names(closed)
    jaxpr = closed.jaxpr
    found: dict[str, int] = {}
    gradients = {_compat.variable(item) for item in program.derivation.gradients.values()}
    taken = {place for place, item in enumerate(jaxpr.outvars) if not _compat.is_literal(item) and item in gradients}
    makers = {item: equation for equation in jaxpr.eqns for item in equation.outvars}
    for argument in program.derivation.parameters:
        variable = variables.get(argument.path)
        at = next((at for at, item in enumerate(jaxpr.invars) if variable is not None and item is variable), None)
        if at is None or at >= len(inputs):
            continue
        # Equinox hands its jitted functions flat lists: the derivative's own path still fits what they return
        suffixes = {re.sub(r"^\w+", "", inputs[at]), re.sub(r"^\w+", "", argument.path)}
        for place, path in enumerate(outputs[: len(jaxpr.outvars)]):
            result = jaxpr.outvars[place]
            if (
                any(_ends(path.removeprefix("result"), suffix) for suffix in suffixes)
                and place not in taken
                and _same_type(result, variable)
                and _made_from(result, variable, makers)
            ):
                found[argument.path] = place
                taken.add(place)
                break
    return found


def _ends(path: str, suffix: str) -> bool:
    """What is returned at the path is called so, at a place of what is returned; a name stands as deep as Equinox puts it."""
    places = path.removesuffix(suffix) if path.endswith(suffix) else "none"
    return re.fullmatch(r"(\[\d+\]){0,3}" if re.search(r"[.'\"]", suffix) else r"(\[\d+\])?", places) is not None


NEAR = 4
"""Equations between a parameter and what an update makes of it: the sum, a cast, a choice."""


def _made_from(result: Any, variable: Any, makers: Mapping[Any, Any], depth: int = 0) -> bool:
    """The result is the parameter itself, or it comes of it in a few equations; gradients lie further off."""
    if result is variable:
        return True
    equation = makers.get(result) if not _compat.is_literal(result) and depth < NEAR else None
    if equation is None:
        return False
    # timid: what a product or a derivative makes of a parameter is no parameter
    if depth and equation.primitive.name in ("dot_general", "conv_general_dilated", "tanh", "exp"):
        return False
    return any(_made_from(item, variable, makers, depth + 1) for item in equation.invars if not _compat.is_literal(item))


def _same_type(one: Any, other: Any) -> bool:
    return (one.aval.shape, one.aval.dtype) == (other.aval.shape, other.aval.dtype)
