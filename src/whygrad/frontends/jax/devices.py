"""Functions mapped over devices within what is differentiated: what each device does is put in line, for all devices at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from whygrad.frontends.jax.mapping import Rows, of_all
from whygrad.frontends.jax.shards import off_mesh, rows_along, shards_of, split
from whygrad.frontends.jax.tape import Atom, Bound, Numbers


class Flat(Protocol):
    """What is asked of what puts programs in line."""

    numbers: Numbers
    types: dict[int, Any]

    def flat(self, bounds: Sequence[Bound]) -> list[Bound]:
        """The same program without functions of the user's in it."""


def over_devices(owner: Flat, bound: Bound) -> Iterator[Bound]:
    """The equations of one call of `shard_map`, for all devices at once: a row for each."""
    shards, mapped = shards_of(bound), bound.mapped
    assert shards is not None
    assert mapped is not None
    for given, number, axis in zip(bound.inputs, mapped.inputs, shards.axes, strict=True):
        yield _made(bound, given, number, "reshape" if axis is not None else "copy", partial(_cut, axis, shards.size))
    held_apart = frozenset(number for number, axis in zip(mapped.inputs, shards.axes, strict=True) if axis is not None)
    types = {number: _kind(item) for number, item in owner.numbers.objects.items() if item is not None and hasattr(item, "shape")}
    inner, held = of_all(off_mesh(owner.flat(mapped.bounds)), Rows(shards.size, shards.name, held_apart), owner.numbers, types)
    made = {number for call in inner for number in call.outputs} | set(mapped.inputs)
    owner.types.update({number: types[number] for number in made if number in types})
    yield from inner
    for found, number, spec in zip(mapped.outputs, bound.outputs, mapped.specs, strict=True):
        axis, wide = split(spec, shards.name), isinstance(found, int) and found in held
        native = "copy" if not wide else "index" if axis is None else "reshape"
        yield _made(bound, found, number, native, partial(_joined, axis, wide))


def _made(bound: Bound, given: Atom, number: int, native: str, again: Callable[[Any], Any]) -> Bound:
    call = replace(
        bound, primitive=None, params={}, inputs=(given,), outputs=(number,), native=native, mapped=None, group=None, arguments={}
    )
    call.again = lambda item: [again(item)]
    return call


def _kind(item: Any) -> Any:
    return jax.ShapeDtypeStruct(item.shape, item.dtype)  # type: ignore[no-untyped-call]  # jax has no type for it


def _cut(axis: int | None, size: int, item: Any) -> Any:
    return item if axis is None else rows_along(item, axis, size)


def _joined(axis: int | None, wide: bool, item: Any) -> Any:  # noqa: FBT001 - bound by `partial`
    """What the devices hold, put together: one of them has it all where they hold the same."""
    if not wide or axis is None:
        return item[0] if wide else item
    found = jnp.moveaxis(item, 0, axis)
    return jnp.reshape(found, (*found.shape[:axis], found.shape[axis] * found.shape[axis + 1], *found.shape[axis + 2 :]))
