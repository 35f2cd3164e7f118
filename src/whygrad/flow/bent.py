"""Derivatives of derivatives that are zero everywhere: a net of straight pieces has no curvature."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.flow.index import Index, StepIndex
from whygrad.ir import Op, Value, family

PIECES = frozenset(("relu", "leaky_relu", "hardtanh"))
"""Activations that are straight lines with corners: what they are differentiated to is constant between the corners."""


@dataclass(frozen=True, slots=True)
class Flat:
    """A derivative of a derivative of which every entry is zero, and the activations that make it so."""

    step: StepIndex
    op: Op
    value: Value
    pieces: tuple[Op, ...]


def flat_derivatives(index: Index) -> tuple[Flat, ...]:
    """Those that are so in every recorded step of a kind, each place of the source once."""
    found: dict[object, Flat] = {}
    for flat in index.lasting(_of_step, lambda flat: flat.op.site):
        found.setdefault(flat.op.site, flat)
    return tuple(found.values())


def _of_step(step: StepIndex) -> Iterator[Flat]:
    for op in step.graph.ops:
        if not _derives(op) or step.shapes_loss.isdisjoint(op.outputs) or step.depends_on_parameters.isdisjoint(op.outputs):
            continue
        value = step.value(op.output)
        pieces = tuple(_pieces(step, op)) if _is_zero(value) else ()
        if pieces:
            yield Flat(step, op, value, pieces)


def _derives(op: Op) -> bool:
    """`torch.autograd.grad`, or the `gradient` of an inner tape, of the first input with respect to the second."""
    return op.kind == "opaque" and op.native in ("grad", "gradient") and len(op.inputs) > 1 and len(op.outputs) == 1


def _is_zero(value: Value) -> bool:
    figures = value.statistics
    return figures is not None and figures.minimum == figures.maximum == 0.0 and figures.finite == 1.0


def _pieces(step: StepIndex, op: Op) -> Iterator[Op]:
    """The activations of straight pieces on the way from the input to its first derivative; none where something else bends it there."""
    derived, given = op.inputs[:2]
    way = step.upstream(derived) & step.downstream((given,))
    between = [other for other in step.graph.ops if not way.isdisjoint(other.outputs) and not way.isdisjoint(other.inputs)]
    # timid: without a derivative behind it, a zero is that of a function that is constant
    if any(_derives(other) for other in between) and not any(_bends(other) for other in between):
        yield from (other for other in between if other.kind in PIECES)


def _bends(op: Op) -> bool:
    return family(op.kind) == "activation" and op.kind not in PIECES
