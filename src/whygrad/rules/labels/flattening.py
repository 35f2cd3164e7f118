"""WG104: predictions and labels that were flattened in different orders."""

from collections.abc import Iterator
from math import prod

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow.axes import flattened
from whygrad.idioms import idiom
from whygrad.ir import Op, Value
from whygrad.rules.loss.calls import Call
from whygrad.rules.phrases import places, typed


def flattened_apart(call: Call) -> Iterator[Diagnosis]:
    """Rows of the prediction that run over the axes in another order than those of the labels, by the sizes of the axes."""
    rows = (call.prediction.shape or ())[:1]
    if call.op.failed or not rows or (call.target.shape or ())[:1] != rows or call.target.name in call.step.depends_on_parameters:
        return
    given, wanted = flattened(call.step, call.prediction.name, rows[0]), flattened(call.step, call.target.name, rows[0])
    if given is None or wanted is None:
        return
    mine, theirs = leading(given[1], rows[0]), leading(wanted[1], rows[0])
    # timid: axes of the same size can't be told apart
    if mine != theirs and sorted(mine) == sorted(theirs):
        yield diagnosis(call, given, wanted, mine, theirs)


def leading(value: Value, rows: int) -> tuple[int, ...]:
    """The axes that were joined to so many rows, without those of one entry; () where there are none."""
    shape = value.shape or ()
    joined = next((shape[:count] for count in range(len(shape), 1, -1) if prod(shape[:count]) == rows), ())
    return tuple(size for size in joined if size > 1)


def diagnosis(call: Call, given: tuple[Op, Value], wanted: tuple[Op, Value], mine: tuple[int, ...], theirs: tuple[int, ...]) -> Diagnosis:
    """What is said, at the flattening of the prediction."""
    op, before = given
    labels = wanted[1]
    orders = [" x ".join(map(str, sizes)) for sizes in (mine, theirs)]
    return Diagnosis(
        rule="WG104",
        name="misaligned-labels",
        severity="error",
        confidence="proved",
        message=f"`{before.shown}` and `{labels.shown}` are flattened in different orders, so that the rows do not belong together",
        site=op.site,
        label=f"rows run over {orders[0]} here",
        related=places((wanted[0].site, f"and over {orders[1]} here"), (call.op.site, "the loss compares them row by row here")),
        evidence=(
            Evidence(f"{typed(before)} against {typed(labels)}: the same axes, in another order, flattened to {prod(mine)} rows each"),
        ),
        help=idiom(call.index, "same order", name=labels.written, other=before.written),
        facts=frozenset({Fact("odd-input", call.target.name)}),
        explains=frozenset({Fact("stands", str(call.step.step.kind))}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=(before.shown, labels.shown),
    )
