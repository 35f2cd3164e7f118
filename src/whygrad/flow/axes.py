"""Axes followed through ops that move or keep entries: where a layer's outputs lie after reshaping, and in which order rows were flattened."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from whygrad.flow.index import StepIndex
from whygrad.flow.layers import unit_axis
from whygrad.ir import Op, Value, family

_SOURCES = frozenset(("linear", "conv", "rnn", "embedding"))
"""Layers whose outputs are known to lie on one axis."""
_KEEPS_AXES = frozenset(("copy", "cast", "batch_norm", "layer_norm", "dropout", "avg_pool", "max_pool", "interpolate"))
"""Kinds that leave each axis where it was, whatever they do to its entries."""
_MOVES = frozenset(("copy", "cast", "reshape", "transpose", "index"))
"""Kinds whose result has no other entries than their first input."""
_KEEPS_ROWS = frozenset((*_KEEPS_AXES, "linear"))


@dataclass(frozen=True, slots=True)
class Mixed:
    """A reshaping that cuts rows across the axis on which a layer has its outputs."""

    op: Op
    before: Value
    after: Value
    axis: int
    """Where the outputs lay before."""
    cut: int
    """The axis after it that has their number and holds something else."""


def mixed(step: StepIndex, name: str, classes: int) -> Mixed | None:
    """The last reshaping on the way to `name` after which its axis `classes` runs over other things than the outputs of the layer behind it."""
    if "reshape" not in step.by_kind:
        return None
    ways = list(reversed(list(_way(step, name))))
    if not ways or ways[0].kind not in _SOURCES or not any(op.kind == "reshape" for op in ways):
        return None
    axis: int | None = unit_axis(ways[0], step.value(ways[0].output).shape or ())
    final = max((at for at, op in enumerate(ways) if not _keeps(step, op, main(step, op))), default=0)
    for at, op in enumerate(ways[1:], 1):
        name = main(step, op) or ""
        before, after = step.value(name), step.value(op.output)
        if axis is None or before.shape is None or after.shape is None:
            return None
        if op.kind == "reshape" and at >= final and _is_cut(before.shape, axis, after.shape, classes):
            return Mixed(op, before, after, axis, classes)
        axis = axis if _keeps(step, op, name) else moved(op, before.shape, after.shape, axis)
    return None


def _way(step: StepIndex, name: str) -> Iterator[Op]:
    """The ops from `name` back to a layer, as long as each moves or keeps the entries of one value."""
    while name in step.producer:
        op = step.producer[name][1]
        yield op
        before = main(step, op)
        if op.kind in _SOURCES or before is None or not (op.kind in ("reshape", "transpose") or _keeps(step, op, before)):
            return
        name = before


def main(step: StepIndex, op: Op) -> str | None:
    """The input that an op is about: the first that a parameter has a part in, of the result's own shape where there is one."""
    trained = [name for name in op.inputs if name in step.depends_on_parameters and step.value(name).role != "parameter"]
    if len(trained) < 2:  # noqa: PLR2004 - nothing to choose from
        return trained[0] if trained else None
    shape = step.value(op.output).shape
    return next((name for name in trained if step.value(name).shape == shape), trained[0])


def _keeps(step: StepIndex, op: Op, name: str | None) -> bool:
    """Every axis stays where it was in the value that the op is about."""
    before, after = step.value(name).shape if name else None, step.value(op.output).shape
    if before is None or after is None or len(before) != len(after):
        return False
    return op.kind in _KEEPS_AXES or (family(op.kind) in ("activation", "arithmetic") and op.kind != "matmul" and before == after)


def moved(op: Op, before: tuple[int, ...], after: tuple[int, ...], axis: int) -> int | None:
    """Where an axis lies after an op; None where it is cut up, joined with another, or can't be told, as where shapes do not belong together."""
    if axis >= len(before):
        return None
    if op.kind == "transpose":
        order = op.attributes.get("order")
        if isinstance(order, tuple) and len(order) == len(after):
            return order.index(axis) if axis in order else None
        same = [at for at, size in enumerate(after) if size == before[axis]]
        return same[0] if len(same) == 1 and len(before) == len(after) else None
    if op.kind == "reshape":
        stride = prod(before[axis + 1 :])
        return next((at for at, size in enumerate(after) if size == before[axis] and prod(after[at + 1 :]) == stride), None)
    return None


def entries_of(step: StepIndex, name: str, axis: int) -> tuple[Op, int] | None:
    """The op that made the entries of `name`, behind ops that move or pick them alone, and where their axis lay then; None where that can't be told."""
    while name in step.producer:
        op = step.producer[name][1]
        before, after = step.value(op.inputs[0]).shape if op.inputs else None, step.value(op.output).shape
        if op.kind not in _MOVES:
            return op, axis
        lay = _lay(op, before, after, axis) if before is not None and after is not None else None
        if lay is None:
            return None
        name, axis = op.inputs[0], lay
    return None


def _lay(op: Op, before: tuple[int, ...], after: tuple[int, ...], axis: int) -> int | None:
    """Where an axis of an op's result lay before it."""
    if axis >= len(after):
        return None
    order = op.attributes.get("order")
    if op.kind == "transpose" and isinstance(order, tuple) and len(order) == len(after):
        at = order[axis]
        return at if isinstance(at, int) else None
    if op.kind in ("transpose", "reshape"):
        return moved(op, after, before, axis)
    if op.kind == "index":  # timid: of several axes of that size, any may be the one
        same = [at for at, size in enumerate(before) if size == after[axis]]
        return same[0] if len(same) == 1 else None
    return axis if before == after else None


def _is_cut(before: tuple[int, ...], axis: int, after: tuple[int, ...], classes: int) -> bool:
    """The axis `classes` of the new shape is as long as the outputs' axis was, and its entries lie differently far apart."""
    size = before[axis] if axis < len(before) else 0
    if not size > 1 or not -len(after) <= classes < len(after) or after[classes] != size or prod(before) != prod(after):
        return False
    classes %= len(after)
    return prod(after[classes + 1 :]) != prod(before[axis + 1 :])


def flattened(step: StepIndex, name: str, rows: int) -> tuple[Op, Value] | None:
    """The reshaping that made one axis of `rows` entries out of several on the way to `name`, and the value before it."""
    while name in step.producer:
        op = step.producer[name][1]
        before = main(step, op) or next(iter(op.inputs), None)
        shape = step.value(before).shape if before else None
        if before is None or shape is None:
            return None
        if op.kind == "reshape" and shape[:1] != (rows,):
            return (op, step.value(before)) if len(shape) > 1 and prod(shape) % rows == 0 else None
        if shape[:1] != (rows,) or not (op.kind in ("reshape", *_KEEPS_ROWS) or family(op.kind) in ("activation", "cast")):
            return None
        name = before
    return None
