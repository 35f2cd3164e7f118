"""Derivatives within loops that JAX compiles: how to come from the whole program's inputs to those of the loop's first turn."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jax import lax

from whygrad.frontends.jax import _compat, programs
from whygrad.frontends.jax.derivations import Derivation
from whygrad.frontends.jax.shards import Shards, agree, copies, rows, shards_of

DEEPEST = 6
"""Loops within loops that are looked into."""

Path = tuple[tuple[Any, Any], ...]
"""Equations to go into, each with the program within it."""


@dataclass(frozen=True, slots=True)
class Nest:
    """Where a derivative's variables live: the equations to go into, the innermost program, and variables of those around it."""

    path: Path
    owner: Any
    around: tuple[tuple[Any, ...], ...] = ()
    """For each level but the innermost, the variables that are read from there."""
    turns: int = 1
    """How often the innermost program runs in one call, as far as that is known."""

    shared: frozenset[int] = frozenset()
    """Inputs of the innermost program that hold a copy for each device."""

    @property
    def shards(self) -> Shards | None:
        """The `shard_map` that the innermost program is the body of."""
        found = shards_of(self.path[-1][0]) if self.path else None
        return replace(found, shared=self.shared) if found is not None else None


def nest_of(closed: Any, variables: Sequence[Any]) -> Nest | None:
    """The program that these variables belong to, with those around it; None where some lie elsewhere."""
    owners: dict[Any, Path] = {}
    for path, program in _programs(closed, ()):
        own = {*program.jaxpr.invars, *program.jaxpr.constvars, *(item for equation in program.jaxpr.eqns for item in equation.outvars)}
        owners.update((variable, path) for variable in variables if variable in own and variable not in owners)
    if len(owners) < len(set(variables)):
        return None
    deepest: Path = max(owners.values(), key=len, default=())
    if any(_ids(path) != _ids(deepest[: len(path)]) for path in owners.values()):
        return None
    if any(equation.primitive.name == "shard_map" for equation, _ in deepest[:-1]):
        return None  # timid: a loop on each device
    if deepest and deepest[-1][0].primitive.name == "shard_map" and shards_of(deepest[-1][0]) is None:
        return None
    around = tuple(tuple(v for v, path in owners.items() if len(path) == level) for level in range(len(deepest)))
    turns = 1
    for equation, _ in deepest:
        length = equation.params.get("length")
        turns *= int(length) if isinstance(length, int) else 1
    return Nest(deepest, deepest[-1][1] if deepest else closed, around, turns)


def nest_for(derivation: Derivation, closed: Any) -> Nest | None:
    """Where the variables of a derivative live; None where that can't be looked at."""
    if derivation.failed is not None or not programs.reachable(derivation):
        return None
    nest = nest_of(closed, programs.variables_of(derivation))
    if nest is None or nest.shards is None:
        return nest
    moving = [derivation.numbers.objects[argument.number] for argument in derivation.parameters]
    return replace(nest, shared=copies(nest.path[-1][0], [_compat.variable(item) for item in moving]))


def same_copies(nest: Nest, values: Mapping[Any, Any]) -> bool:
    """What each device holds for itself, and a derivative is taken by, is the same on all of them, as far as a call with these values tells."""
    shards = nest.shards
    if shards is None or not shards.shared:
        return True
    given = [values.get(item) for item in nest.path[-1][0].invars]
    return all(given[place] is not None for place in shards.shared) and agree(shards, given)


def _ids(path: Path) -> list[int]:
    return [id(equation) for equation, _ in path]


def _programs(closed: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    yield path, closed
    for equation in closed.jaxpr.eqns if len(path) < DEEPEST else ():
        for name, inner in _compat.inner_programs(equation.params):
            if name != "cond_jaxpr" and not equation.primitive.name.startswith("custom"):
                yield from _programs(inner, (*path, (equation, inner)))


def first_turn(closed: Any, nest: Nest, turned: Mapping[int, Sequence[Any]]) -> Callable[..., tuple[list[Any], list[Any], list[Any]]]:
    """
    A function from the whole program's inputs to those of the innermost program in its first turn, and what is read from around it.

    The last of its results are variables of the programs within, by their level, as the first turn makes them.
    """

    def run(*inputs: Any) -> tuple[list[Any], list[Any], list[Any]]:
        outer, given, read, made = closed, list(inputs), list[Any](), list[Any]()
        for level, ((equation, inner), around) in enumerate(zip(nest.path, nest.around, strict=True), 1):
            found = _compat.sliced(outer, [*equation.invars, *around])(*given)
            read += found[len(equation.invars) :]
            given = entered(equation, found[: len(equation.invars)], nest.shards if level == len(nest.path) else None)
            outer = inner
            made += _compat.sliced(inner, turned[level])(*given) if level in turned else []
        return given, read, made

    return run


def entered(equation: Any, given: list[Any], shards: Shards | None = None) -> list[Any]:
    """What the program within an equation is given when the equation is."""
    params: Mapping[str, Any] = equation.params
    name = equation.primitive.name
    if name == "scan":
        fixed = int(params["num_consts"]) + int(params["num_carry"])
        at = int(params["length"]) - 1 if params.get("reverse") else 0
        return [*given[:fixed], *(lax.index_in_dim(item, at, keepdims=False) for item in given[fixed:])]
    if name == "while":
        tests, bodies = int(params["cond_nconsts"]), int(params["body_nconsts"])
        return [*given[tests : tests + bodies], *given[tests + bodies :]]
    return rows(shards, given) if shards is not None else given[1:] if name == "cond" else given
