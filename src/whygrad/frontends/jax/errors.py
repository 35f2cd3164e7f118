"""Squared and absolute errors that the program writes out: `(prediction - target) ** 2` is one op, as a call of a loss function would be."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from whygrad.ir import Attribute, Op

KINDS = {"square": "mse_loss", "abs": "l1_loss"}
"""What the power or the absolute value of a difference is."""


def with_errors(ops: Sequence[Op], live: Collection[str], shapes: Mapping[str, tuple[int, ...] | None]) -> list[Op]:
    """The ops with each difference between something trained and something given, squared at once and of one shape, as a loss."""
    makers = {name: op for op in ops for name in op.outputs}
    readers: dict[str, list[Op]] = {}
    for op in ops:
        for name in op.inputs:
            readers.setdefault(name, []).append(op)
    found: dict[str, Op] = {}
    dropped: set[str] = set()
    for op in ops:
        way = _way(op, makers, readers) if op.kind in KINDS and len(op.inputs) == 1 else []
        if way and _is_error(way[-1], live, shapes):
            found[op.output] = _loss(op, way[-1], live)
            dropped.update(made.output for made in way)
    return [found.get(op.output, op) for op in ops if op.output not in dropped]


def _way(op: Op, makers: Mapping[str, Op], readers: Mapping[str, list[Op]]) -> list[Op]:
    """The ops that made what `op` reads, back through mere copies, where nothing else reads them."""
    found: list[Op] = []
    reader = op
    while (made := makers.get(reader.inputs[0])) is not None and len(made.outputs) == 1 and readers[made.output] == [reader]:
        found.append(made)
        if made.kind != "copy" or len(made.inputs) != 1:
            break
        reader = made
    return found


def _is_error(op: Op, live: Collection[str], shapes: Mapping[str, tuple[int, ...] | None]) -> bool:
    """A difference of two, one of which a gradient flows to; of more than one entry, and of one shape."""
    if op.kind != "sub" or len(op.inputs) != 2 or op.failed:  # noqa: PLR2004 - a prediction and a target
        return False
    one, other = (shapes.get(name) for name in op.inputs)
    return one is not None and one == other and len(one) > 0 and sum(name in live for name in op.inputs) == 1


def _loss(op: Op, made: Op, live: Collection[str]) -> Op:
    """The loss that the two ops are: the prediction first, the target second; where they stand apart, at the line that names the two."""
    inputs = tuple(sorted(made.inputs, key=lambda name: name not in live))
    apart = made.site is not None and op.site is not None and (made.site.file, made.site.line) != (op.site.file, op.site.line)
    attributes: dict[str, Attribute] = {**op.attributes, "target": 1, "reduction": "none"}
    site, native = made.site if apart else op.site, f"jax.numpy.{op.kind}"
    return replace(op, kind=KINDS[op.kind], inputs=inputs, native=native, carries=None, attributes=attributes, site=site)
