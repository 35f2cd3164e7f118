"""Derivatives within `shard_map`: what runs on each device is looked at for all devices at once, a row for each, as under `vmap`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.tape import Atom, Bound, Constant

WRITTEN_OUT = ("jit", "pjit", "closed_call", "core_call", "custom_jvp_call", "remat2", "checkpoint")
"""Calls whose own program is run in their place."""
UNKNOWN = "a derivative within `shard_map` that can't be run outside of its mesh was not looked at"


@dataclass(frozen=True, slots=True)
class Shards:
    """How one `shard_map` splits what it is given over one axis of its mesh."""

    size: int
    name: Any
    axes: tuple[int | None, ...]
    """For each input, the dimension that is split; None where every device holds all of it."""
    shared: frozenset[int] = frozenset()
    """Inputs that hold a copy for each device, as the replicated parameters of `pmap` do."""


def shards_of(equation: Any) -> Shards | None:
    """Of an equation; None where it is no `shard_map`, or one over several axes."""
    params: Mapping[str, Any] = equation.params
    names = tuple(params.get("newly_manual_axes") or ())
    if equation.primitive.name != "shard_map" or len(names) != 1 or "in_specs" not in params:
        return None
    name = names[0]
    axes = tuple(split(spec, name) for spec in params["in_specs"])
    return Shards(int(params["mesh"].shape[name]), name, axes)


def split(spec: Sequence[Any], name: Any) -> int | None:
    """The dimension that a layout splits over an axis of the mesh; None where each device holds all of it."""
    return next((at for at, part in enumerate(spec) if part == name or (isinstance(part, tuple) and name in part)), None)


def rows(shards: Shards, given: Sequence[Any]) -> list[Any]:
    """What each device is given, in rows."""
    blocks = [item if axis is None else rows_along(item, axis, shards.size) for item, axis in zip(given, shards.axes, strict=True)]
    return [block[0] if at in shards.shared else block for at, block in enumerate(blocks)]


def copies(equation: Any, variables: Sequence[Any]) -> frozenset[int]:
    """The split inputs of a program on each device that these variables come from, by reshaping alone: what `pmap` hands out so is a copy for each."""
    jaxpr = equation.params["jaxpr"]
    makers = {item: one for one in jaxpr.eqns for item in one.outvars}
    found: set[int] = set()
    for item in variables:
        while (maker := makers.get(item)) is not None and maker.primitive.name in ("squeeze", "reshape"):
            item = maker.invars[0]  # noqa: PLW2901 - what it was made of
        found.update(at for at, variable in enumerate(jaxpr.invars) if variable is item and item not in variables)
    return frozenset(found)


def agree(shards: Shards, given: Sequence[Any]) -> bool:
    """The copies that devices hold are the same to the last bit."""
    held = [(given[at], axis) for at in sorted(shards.shared) if (axis := shards.axes[at]) is not None]
    blocks = [np.asarray(rows_along(item, axis, shards.size)) for item, axis in held]
    return all(np.array_equal(block[0], other) for block in blocks for other in block[1:])


def rows_along(item: Any, axis: int, size: int) -> Any:
    """What each device holds of an array that is split, in rows."""
    shape = item.shape
    split = jnp.reshape(item, (*shape[:axis], size, shape[axis] // size, *shape[axis + 1 :]))
    return jnp.moveaxis(split, axis, 0)


def gathered(arrays: Mapping[int, Any]) -> dict[int, Any]:
    """The same on one device: compiled functions of ours know no mesh."""
    device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])  # given the bare device, JAX keeps the mesh in the array's type
    return {number: jax.device_put(item, device) if isinstance(item, jax.Array) else item for number, item in arrays.items()}


def off_mesh(bounds: Sequence[Bound]) -> list[Bound]:
    """The same calls where no mesh is: what only says on which devices a value differs is a copy."""
    return [replace(_off_mesh(bound), inputs=tuple(_bare(item) for item in bound.inputs)) for bound in bounds]


def _bare(item: Atom) -> Atom:
    """A number of the program's without the mesh that it was met on."""
    return Constant(_number(item.value)) if isinstance(item, Constant) else item


def _number(item: Any) -> Any:
    inner = _compat.plain(item)
    return inner if inner is item else np.asarray(inner, item.dtype)


def _off_mesh(bound: Bound) -> Bound:
    name = str(bound.primitive.name) if bound.primitive is not None else ""
    if name == "pvary":
        return replace(bound, primitive=None, params={}, native="copy")
    if name == "psum_invariant":
        return replace(bound, again=_sum(bound.params["axes"]))
    inner = [program for _, program in _compat.inner_programs(bound.params)] if name in WRITTEN_OUT and bound.again is None else []
    return replace(bound, again=partial(_run, inner[0])) if len(inner) == 1 else bound


def _sum(axes: Any) -> Callable[..., list[Any]]:
    return lambda *items: [lax.psum(item, axes) for item in items]  # type: ignore[no-untyped-call]  # jax has no type for it


def _run(program: Any, *items: Any) -> list[Any]:
    """A program within a call, equation by equation: its own types say on which devices values differ."""
    jaxpr = program.jaxpr
    held: dict[Any, Any] = dict(zip(jaxpr.constvars, program.consts, strict=True))
    held.update(zip(jaxpr.invars, items, strict=False))
    for equation in jaxpr.eqns:
        read = [_number(item.val) if _compat.is_literal(item) else held[item] for item in equation.invars]
        held.update(zip(equation.outvars, _bind(equation, read), strict=True))
    return [_number(item.val) if _compat.is_literal(item) else held[item] for item in jaxpr.outvars]


def _bind(equation: Any, read: Sequence[Any]) -> list[Any]:
    bound = _off_mesh(Bound(equation.primitive, equation.params, (), (), None))
    if bound.primitive is None:
        return list(read)
    return list(bound.again(*read)) if bound.again is not None else _compat.bind(bound.primitive, bound.params, read)


def collective(bound: Bound, name: Any) -> bool:
    """It asks what other devices hold, or which one this is."""
    asked = bound.params.get("axes", bound.params.get("axis_name", ()))
    return name in (asked if isinstance(asked, tuple | list | frozenset) else (asked,))
