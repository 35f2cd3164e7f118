"""The part of WG211 that asks whether rows are made one long along the axis that a table of similarities then adds up."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, failure
from whygrad.flow.makers import edited_at
from whygrad.idioms import idiom
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op
from whygrad.rules.loss.calls import Call
from whygrad.rules.phrases import places, plural, typed
from whygrad.rules.remedies import remedy, setting

TABLE = 2
"""Axes of a table: rows and features."""
_PASSING = ("cast", "clamp", "maximum", "add", "copy", "pow", "sqrt")


def compared_across(call: Call) -> Iterator[Diagnosis]:
    """Tables of products of rows on the way to a prediction, both sides of which are of norm one along the other axis."""
    step, before = call.step, call.step.upstream(call.prediction.name) | {call.prediction.name}
    for op in step.graph.ops:
        if op.kind != "matmul" or len(op.inputs) != TABLE or before.isdisjoint(op.outputs):
            continue
        sides = [normalised(step, name, contracted) for name, contracted in zip(op.inputs, (1, 0), strict=True)]
        if all(side is not None and crosswise for side, crosswise in sides):
            (made, _), _ = sides
            if made is not None:
                yield _diagnosis(call.index, call, op, made)


def normalised(step: StepIndex, name: str, contracted: int) -> tuple[Op | None, bool]:
    """What made a table's entries of norm one, and whether it did so along the axis that is not added up."""
    axis = contracted
    while name in step.producer:
        op = step.producer[name][1]
        shape = step.value(op.output).shape or ()
        if len(shape) != TABLE:
            break
        along = _norm_axis(step, op)
        if along is not None:
            return op, along != axis and shape[along] > 1 and shape[1 - along] > 1
        order = op.attributes.get("order")
        if op.kind == "transpose" and order in ([1, 0], (1, 0)):
            axis = 1 - axis
        elif op.kind not in ("cast", "copy"):
            break
        name = op.inputs[0]
    return None, False


def _norm_axis(step: StepIndex, op: Op) -> int | None:
    """The axis along which an op makes norms of one: a call that does so, or a division by norms that keep their axis."""
    before, after = step.value(op.inputs[0]).shape if op.inputs else None, step.value(op.output).shape or ()
    axis = op.attributes.get("axis")
    if op.kind == "norm" and before == after and isinstance(axis, int) and -TABLE <= axis < TABLE:
        return axis % TABLE
    if op.kind != "div" or len(op.inputs) != TABLE or before != after:
        return None
    below, name = step.value(op.inputs[1]).shape or (), op.inputs[1]
    while name in step.producer and step.producer[name][1].kind in _PASSING:
        name = step.producer[name][1].inputs[0]
    made = step.producer.get(name)
    whole = made is not None and made[1].kind == "norm" and step.origin(made[1].inputs[0]) == step.origin(op.inputs[0])
    return below.index(1) if whole and len(below) == TABLE and below.count(1) == 1 else None


def _diagnosis(index: Index, call: Call, op: Op, made: Op) -> Diagnosis:
    step, value = call.step, call.step.value(made.output)
    shape, axis = value.shape or (0, 0), _norm_axis(call.step, made) or 0
    place = edited_at(step, made)
    stands = failure(course_of(index, step)) is not None
    return Diagnosis(
        rule="WG211",
        name="wrong-axis",
        severity="error" if stands else "warning",
        confidence="proved",
        message=f"`{value.shown}` is normalised along axis {axis}, and its rows are compared by products along axis {1 - axis}",
        site=place,
        label=f"makes each of the {shape[1 - axis]} columns one long, not the {shape[axis]} rows" if axis == 0 else f"makes each of the {shape[0]} rows one long, not the {shape[1]} columns",
        related=places((made.site if made.made else None, "it is applied here"), (op.site, f"the products are added up along axis {1 - axis} here"), (call.op.site, "the loss reads the similarities here")),
        evidence=(
            Evidence(f"{typed(value)} has norms of 1 along axis {axis}; the similarities of {typed(step.value(op.output))} add {plural(shape[1 - axis], 'product')} along axis {1 - axis}"),
        ),
        help=f"write {idiom(index, 'axis', axis=1 - axis)}, so that a product of two rows is the cosine of their angle",
        remedy=remedy("normalise along the axis that is added up", setting(place, spelling(index, "axis"), str(1 - axis), calls=("normalize",), position=-1)),
        facts=frozenset({Fact("odd-input", call.prediction.name)}),
        explains=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(value.shown,),
    )  # fmt: skip
