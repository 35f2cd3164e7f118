"""Derivatives under `vmap`: the program of one example becomes the program of all of them, row by row."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.derivations import Derivation
from whygrad.frontends.jax.evaluation import call, concrete
from whygrad.frontends.jax.shards import collective
from whygrad.frontends.jax.tape import Bound, Numbers


@dataclass(frozen=True, slots=True)
class Rows:
    """One `vmap` around a derivative."""

    size: int
    name: Any
    """What collective functions know it by."""
    given: frozenset[int]
    """Values from outside that hold one row for each example."""
    tag: int = 0
    """The identity of what JAX tells this `vmap` from others by."""


def levels_of(derivation: Derivation, numbers: Collection[int]) -> list[Rows]:
    """Each `vmap` that values from outside are rows of, the innermost first."""
    known: dict[Any, _compat.Mapped] = {}
    given: dict[Any, set[int]] = {}
    for number in numbers:
        for level in _compat.mapped(derivation.numbers.objects[number]):
            known.setdefault(level.tag, level)
            given.setdefault(level.tag, set()).add(number)
    order = sorted(known.values(), key=lambda level: -level.depth)
    return [Rows(level.size, level.name, frozenset(given[level.tag]), level.tag) for level in order]


def by_rows(derivation: Derivation) -> bool:
    """Each row is differentiated by what is its own alone: forces, slopes, saliencies are derivatives by data."""
    found = [tags(derivation.numbers.objects[argument.number]) for argument in derivation.parameters]
    return bool(found) and bool(set.intersection(*found))


def is_tree(derivation: Derivation) -> bool:
    """What is differentiated are the arrays of one argument, as the parameters of a model are."""
    found = derivation.parameters
    return len(found) > 1 and len({argument.root for argument in found}) == 1


def tags(item: Any) -> set[int]:
    """Each `vmap` that a tracer is a row under."""
    return {level.tag for level in _compat.mapped(item)}


def of_all(
    bounds: Sequence[Bound], rows: Rows, numbers: Numbers, types: dict[int, Any], moving: Collection[int] = ()
) -> tuple[list[Bound], set[int]]:
    """The same calls on all rows at once, and the values that hold rows; `types` is brought up to date."""
    held, copies = set(rows.given), list[Bound]()
    if not held.isdisjoint(moving):
        copies, bounds = _repeated(bounds, rows, numbers, types)
    types.update({number: _wide(types[number], rows.size) for number in held if number in types})
    for bound in copies:
        held.update(bound.outputs)
        types[bound.outputs[0]] = _wide(types[bound.outputs[0]], rows.size)
    found = list(copies)
    for bound in bounds:
        places = tuple(isinstance(item, int) and item in held for item in bound.inputs)
        if not (any(places) or collective(bound, rows.name)) or bound.failed:
            found.append(bound)
            continue
        held.update(bound.outputs)
        types.update({number: _wide(types[number], rows.size) for number in bound.outputs if number in types})
        found.append(replace(bound, again=_each(bound, places, rows), rows=True))
    return found, held


REPEATED = "broadcast_to"
"""What stands for data that all rows share, a copy for each."""


def _repeated(bounds: Sequence[Bound], rows: Rows, numbers: Numbers, types: dict[int, Any]) -> tuple[list[Bound], list[Bound]]:
    """
    The same calls, each row with data of its own, and in front of them what gives each row its own.

    Where each row has parameters of its own, an ensemble, the data that all of them share become a row for each: shapes then fit each other as those of one row do.
    """
    made, copies = {number for bound in bounds for number in bound.outputs}, dict[int, int]()
    found: list[Bound] = []
    for bound in bounds:
        for item in bound.inputs:
            if not isinstance(item, int) or item in rows.given or item in made or item in copies:
                continue
            if len(getattr(types.get(item), "shape", ())) > 0:
                number = copies[item] = len(numbers.objects)
                numbers.objects[number], types[number] = None, types[item]
                copy = Bound(None, {}, (item,), (number,), bound.trace, scope=bound.scope, native=REPEATED)
                copy.again = lambda given: [jnp.broadcast_to(given, (rows.size, *jnp.shape(given)))]
                found.append(copy)
    return found, [_renamed(bound, copies) for bound in bounds]


def _renamed(bound: Bound, copies: Mapping[int, int]) -> Bound:
    inputs = tuple(copies.get(item, item) if isinstance(item, int) else item for item in bound.inputs)
    arguments = {key: copies.get(item, item) if isinstance(item, int) else item for key, item in bound.arguments.items()}
    return replace(bound, inputs=inputs, arguments=arguments)


def total(loss: int, derivation: Derivation, moving: Collection[int], rows: Rows) -> Bound:
    """The one number that the rows' losses stand for: their mean, or their sum where each row has parameters of its own."""
    number = len(derivation.numbers.objects)
    derivation.numbers.objects[number] = None
    apart = not rows.given.isdisjoint(moving)
    made = Bound(None, {}, (loss,), (number,), derivation.trace, native="sum" if apart else "mean")
    made.again = (lambda item: [jnp.sum(item)]) if apart else (lambda item: [jnp.mean(item)])
    return made


def gradients_of(derivation: Derivation) -> dict[str, Any]:
    """The gradients of a derivative that was computed at once; of a parameter that rows share, the mean of theirs."""
    objects = {argument.path: derivation.numbers.objects[argument.number] for argument in derivation.parameters}
    return {name: _gradient(item, objects.get(name)) for name, item in derivation.gradients.items() if concrete(item) is not None}


def _gradient(item: Any, parameter: Any) -> Any:
    own = tags(parameter)
    levels = _compat.mapped(item)[::-1]
    shared = tuple(at for at, level in enumerate(levels) if level.tag not in own)
    found = _compat.rows_first(item)
    return jnp.mean(found, axis=shared) if shared else found


def _each(bound: Bound, places: Sequence[bool], rows: Rows) -> Callable[..., list[Any]]:
    once = replace(bound)

    def again(*read: Any) -> list[Any]:
        axes = tuple(0 if place else None for place in places)
        return list(jax.vmap(lambda *items: call(once, items), in_axes=axes, axis_size=rows.size, axis_name=rows.name)(*read))

    return again


def _wide(kind: Any, size: int) -> Any:
    return jax.ShapeDtypeStruct((size, *kind.shape), kind.dtype) if kind is not None else None  # type: ignore[no-untyped-call]  # jax has no type for it
