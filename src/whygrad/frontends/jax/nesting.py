"""Derivatives within loops that JAX compiles: how to come from the whole program's inputs to those of the loop's first turn."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jax import lax

from whygrad.frontends.jax import _compat, programs
from whygrad.frontends.jax.batched import Batched, Level, as_rows, cut, levels_within, mapped
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

    @property
    def levels(self) -> tuple[Level, ...]:
        """Each `vmap` around the innermost program, the innermost first."""
        return levels_within(self.path)


def nest_of(closed: Any, variables: Sequence[Any], batched: Sequence[Batched] = ()) -> Nest | None:
    """The program that these variables belong to, with those around it; None where some lie elsewhere."""
    owners: dict[Any, Path] = {}
    wanted = {*variables, *(item for call in batched for item in call.invars if not _compat.is_literal(item))}
    for path, program in _programs(closed, ()):
        _own(owners, path, program, wanted)
    left = list(batched)
    while placed := [call for call in left if all(_compat.is_literal(item) or item in owners for item in call.invars)]:
        left = [call for call in left if call not in placed]
        for call in placed:
            around: Path = max((owners[item] for item in call.invars if not _compat.is_literal(item)), key=len, default=())
            for path, program in _within(call, around):
                _own(owners, path, program, wanted)
    owners = {variable: path for variable, path in owners.items() if variable in set(variables)}
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
    deepest = tuple((as_rows(equation), program) for equation, program in deepest)
    return Nest(deepest, deepest[-1][1] if deepest else closed, around, turns)


def _own(owners: dict[Any, Path], path: Path, program: Any, wanted: set[Any]) -> None:
    own = {*program.jaxpr.invars, *program.jaxpr.constvars, *(item for equation in program.jaxpr.eqns for item in equation.outvars)}
    owners.update((variable, path) for variable in wanted & own if variable not in owners)


def nest_for(derivation: Derivation, closed: Any, batched: Sequence[Batched] = ()) -> Nest | None:
    """Where the variables of a derivative live; None where that can't be looked at."""
    if derivation.failed is not None or not programs.reachable(derivation):
        return None
    nest = nest_of(closed, programs.variables_of(derivation), batched)
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
        yield from _within(equation, path)


def _within(equation: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    for name, inner in _compat.inner_programs(equation.params):
        if name != "cond_jaxpr" and not equation.primitive.name.startswith("custom"):
            yield from _programs(inner, (*path, (equation, inner)))


def first_turn(closed: Any, nest: Nest, turned: Mapping[int, Sequence[Any]]) -> Callable[..., tuple[list[Any], list[Any], list[Any]]]:
    """
    A function from the whole program's inputs to those of the innermost program in its first turn, and what is read from around it.

    The last of its results are variables of the programs within, by their level, as the first turn makes them.
    """
    wanted = _Wanted(nest, turned, nest.levels)
    inner, read = len(nest.owner.jaxpr.invars), sum(len(level) for level in nest.around)

    def run(*inputs: Any) -> tuple[list[Any], list[Any], list[Any]]:
        found = wanted.below(0, closed)(*inputs)
        return found[:inner], found[inner : inner + read], found[inner + read :]

    return run


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is asked of the first turn, level by level."""

    nest: Nest
    turned: Mapping[int, Sequence[Any]]
    levels: tuple[Level, ...]

    def below(self, level: int, program: Any) -> Callable[..., list[Any]]:
        """From the inputs of the program at this level to them."""
        if level == len(self.nest.path):
            return lambda *given: list(given)
        (equation, inner), around = self.nest.path[level], self.nest.around[level]
        last = level + 1 == len(self.nest.path)
        deeper, own = self.below(level + 1, inner), self.turned.get(level + 1, ())
        count = len(self.nest.owner.jaxpr.invars)
        further = sum(len(items) for items in self.nest.around[level + 1 :])

        def turn(*items: Any) -> list[Any]:
            given = entered(equation, list(items), self.nest.shards if last else None)
            found = deeper(*given)
            return [*found[: count + further], *(_compat.sliced(inner, own)(*given) if own else ()), *found[count + further :]]

        called: Callable[..., list[Any]] = turn
        # those of this call come behind those of the calls within, and before those of the calls around
        ours = len(equation.levels) if isinstance(equation, Batched) else 0
        within = sum(len(call.levels) for call, _ in self.nest.path[level + 1 :] if isinstance(call, Batched))
        handed = [*self.nest.owner.jaxpr.invars, *(item for items in self.nest.around[level + 1 :] for item in items), *own]
        handed += [item for at in sorted(self.turned) if at > level + 1 for item in self.turned[at]]
        for known in self.levels[within : within + ours]:
            called = mapped(called, known, known.axes, handed)

        def run(*given: Any) -> list[Any]:
            found = _compat.sliced(program, [*equation.invars, *around])(*given)
            results = called(*cut(equation, found[: len(equation.invars)]))
            return [*results[:count], *found[len(equation.invars) :], *results[count:]]

        return run


def entered(equation: Any, given: list[Any], shards: Shards | None = None) -> list[Any]:
    """What the program within an equation is given when the equation is."""
    params: Mapping[str, Any] = equation.params
    name = equation.primitive.name
    if isinstance(equation, Batched) and equation.loop:
        return given
    if name == "scan":
        fixed = int(params["num_consts"]) + int(params["num_carry"])
        at = int(params["length"]) - 1 if params.get("reverse") else 0
        return [*given[:fixed], *(lax.index_in_dim(item, at, keepdims=False) for item in given[fixed:])]
    if name == "while":
        tests, bodies = int(params["cond_nconsts"]), int(params["body_nconsts"])
        return [*given[tests : tests + bodies], *given[tests + bodies :]]
    return rows(shards, given) if shards is not None else given[1:] if name == "cond" else given
