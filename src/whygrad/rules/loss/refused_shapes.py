"""The part of WG203 that tells of a prediction and labels whose shapes do not fit each other at all: the framework refuses to bring them together."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import layer_behind
from whygrad.ir import Op, Value
from whygrad.loss_contracts import REGRESSIONS, input_of, target_of
from whygrad.rules.loss.columns import refused_products
from whygrad.rules.loss.exceptions import raised_by
from whygrad.rules.loss.shapes import broadcast
from whygrad.rules.phrases import places, plural, typed

_MEETING = ("sub", "mul", "add", "div", "where", "compare")
"""Arithmetic of losses that a program writes itself."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that raised, and the two values that it was to compare."""

    op: Op
    prediction: Value
    target: Value


def refused(step: StepIndex) -> Iterator[Refused]:
    """Calls that raised at a prediction and labels with as many rows."""
    for op in step.graph.ops:
        sides = _sides(step, op) if op.failed else None
        if sides is None:
            continue
        prediction, target = step.value(sides[0]), step.value(sides[1])
        one, other = prediction.shape, target.shape
        # timid: another number of rows is WG209's, and class ids against a column for each class are WG201's
        if (
            one
            and other
            and broadcast(one, other) is None
            and one[0] == other[0]
            and not any(op is odd[0] for odd in refused_products(step))
        ):
            yield Refused(op, prediction, target)


def _sides(step: StepIndex, op: Op) -> tuple[str, str] | None:
    """The prediction and what it was to be compared with: of a loss that compares entry by entry, or of arithmetic with labels."""
    if op.kind in REGRESSIONS:
        prediction, target = input_of(op), target_of(op)
        # timid: what compares class by class is WG201's and WG220's
        classes = op.attributes.get("ids") is False or (target is not None and _are_ids(step.value(target)))
        return (prediction, target) if prediction and target and not classes else None
    if op.kind not in _MEETING or len(op.inputs) != 2:  # noqa: PLR2004 - two operands
        return None
    shaped = [name for name in op.inputs if name in step.depends_on_parameters]
    given = [name for name in op.inputs if name in step.from_labels and name not in step.depends_on_parameters]
    return (shaped[0], given[0]) if len(shaped) == len(given) == 1 else None


def _are_ids(target: Value) -> bool:
    """One whole number for each example."""
    return len(target.shape or ()) == 1 and target.statistics is not None and target.statistics.whole == 1.0


def diagnosis(index: Index, step: StepIndex, found: Refused) -> Diagnosis:
    """What is said, at the line that raised."""
    prediction, target = found.prediction, found.target
    behind = layer_behind(step, prediction.name)
    layer = (behind[0].made or (behind[1].site if behind[1] is not None else None)) if behind is not None else None
    rows = (prediction.shape or (0,))[0]
    return Diagnosis(
        rule="WG203",
        name="broadcast-loss",
        severity="error",
        confidence="proved",
        message=f"{typed(prediction)} and {typed(target)} do not fit each other in the loss",
        site=found.op.site,
        label=f"`{prediction.shown}` and `{target.shown}` differ in shape",
        related=places((layer if layer != found.op.site else None, f"`{prediction.shown}` gets its last axis here")),
        evidence=(
            Evidence(
                f"both have {plural(rows, 'row')}: one of `{prediction.shown}` is {_row(prediction)}, and one of `{target.shown}` is {_row(target)}; the call raised",
                "rows",
                rows,
            ),
        ),
        help=_help(prediction, target),
        facts=frozenset({Fact("odd-shape", prediction.name)}),
        explains=raised_by(index, step, found.op),
        kind=step.step.kind,
        step=step.step.index,
        names=(prediction.shown, target.shown),
    )


def _row(value: Value) -> str:
    """What a row of it is."""
    rest = (value.shape or ())[1:]
    return f"[{','.join(map(str, rest))}]" if rest else "one number"


def _help(prediction: Value, target: Value) -> str:
    """Which of both to change, and how to choose."""
    outputs, rest = (prediction.shape or ())[1:], (target.shape or ())[1:]
    if outputs and not rest:
        return (
            f"for one number an example, give the last layer one output and take its axis away; if `{target.shown}` holds class ids, "
            f"use a cross-entropy, or give it a column for each of the {outputs[-1]} classes"
        )
    return f"give the last layer as many outputs as `{target.shown}` has columns, or bring both to one shape where they are made"
