"""The part of WG211 about layers of sequences that run along examples in an order that was drawn, by a loader or by the program: whatever the labels are, nothing goes from one to the next."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import edited_at
from whygrad.idioms import idiom
from whygrad.ir import Batches, Op, Value, family
from whygrad.rules.loss.batch_axis import LAYERS, Crossed, walks
from whygrad.rules.phrases import places, typed
from whygrad.rules.remedies import remedy, setting

_KEEPS = frozenset(("linear", "embedding", "dropout", "layer_norm", "add", "sub", "mul", "div", "cast", "copy"))
"""Kinds of op that leave the first two axes where they are."""
_SEQUENCES = 3
"""Axes of what such a layer reads."""


def along_examples(index: Index) -> Iterator[Diagnosis]:
    """One for the first such layer of each recorded step whose batch was seen to be put together."""
    drawn = [batches for batches in index.record.batches if batches.drawn]
    for step in index.steps:
        stacked = {name for batches in drawn for name in batches.values if _stacked(step, name)}
        for found in walks(step, step.shapes_loss):
            shape, source = found.read.shape or (), None
            if not found.loop and len(shape) == _SEQUENCES and min(shape[:2]) > 1:
                # timid: attention over points that were picked at random may be meant
                source = _source(step, found.read.name, found.axis, stacked, picked=found.op.kind == "rnn")
            if source is not None:
                yield _diagnosis(index, step, found, source, drawn)
                break


def _stacked(step: StepIndex, name: str) -> bool:
    """The loader put one item on top of the other, along the first axis."""
    made = step.producer.get(name)
    op = made[1] if made is not None else None
    rows = (step.value(name).shape or (0,))[0]
    return (
        op is not None
        and op.kind == "concat"
        and op.native.endswith(".stack")
        and op.attributes.get("axis", 0) == 0
        and len(op.inputs) == rows
    )


def _picked(step: StepIndex, name: str) -> bool:
    """Rows of data that were picked by numbers in an order that the program drew: `x[order[i : i + 32]]`."""
    op = step.producer[name][1] if name in step.producer else None
    if op is None or op.kind != "index" or len(op.inputs) != 2 or op.inputs[0] in step.depends_on_parameters:  # noqa: PLR2004 - data and numbers of rows
        return False
    numbers = step.value(op.inputs[1])
    made = step.producer.get(step.origin(numbers.name, ("layout", "select")))
    return numbers.shape == (step.value(name).shape or ())[:1] and made is not None and made[1].native.rsplit(".", 1)[-1] == "randperm"


def _source(step: StepIndex, name: str, axis: int, stacked: set[str], *, picked: bool) -> Value | None:
    """The batch whose first axis is this axis of a value; None where it is another one, or something on the way may have moved it."""
    while name not in stacked and not (picked and _picked(step, name)):
        op = step.producer[name][1] if name in step.producer else None
        if op is None or not op.inputs:
            return None
        size = (step.value(name).shape or ())[axis : axis + 1]
        order = op.attributes.get("order")
        if op.kind == "transpose" and isinstance(order, tuple) and axis < len(order):
            name, axis = op.inputs[0], int(order[axis])
            continue
        if op.kind not in _KEEPS and family(op.kind) != "activation":
            return None
        before = [given for given in op.inputs if _leads(step, op, given) and (step.value(given).shape or ())[axis : axis + 1] == size]
        if len(before) != 1:
            return None
        name = before[0]
    return step.value(name) if axis == 0 else None


def _leads(step: StepIndex, op: Op, given: str) -> bool:
    """An input of data, as long along its first two axes as what is made of it: parameters and tables of positions are not."""
    value, made = step.value(given), step.value(op.output)
    return value.role != "parameter" and (value.shape or ())[:2] == (made.shape or ())[:2]


def _diagnosis(index: Index, step: StepIndex, found: Crossed, source: Value, drawn: list[Batches]) -> Diagnosis:
    """What is said, where the layer is made."""
    op, shape = found.op, found.read.shape or (0, 0)
    layer = "an attention" if op.kind == "attention" else "a recurrent layer"
    place = edited_at(step, op)
    loader = next((batches.site for batches in drawn if source.name in batches.values), None)
    return Diagnosis(
        rule="WG211",
        name="wrong-axis",
        severity="warning" if op.kind == "attention" else "error",  # attention has no order, and may be meant to look across the batch
        confidence="proved",
        message=f"{layer} runs along the batch: it takes axis {found.axis} of `{found.read.shown}` for positions, and that axis holds the examples",
        site=place,
        label=f"expects its positions on axis {found.axis}",
        related=places(
            (op.site if op.made else None, "it is applied here"),
            (loader, "this loader stacks examples, in an order that it draws anew for each pass"),
            (None if loader else step.producer[source.name][1].site, "the examples are picked here, in an order that the program draws"),
        ),
        evidence=(
            Evidence(f"{typed(found.read)} is read as {shape[found.axis]} positions of {shape[1 - found.axis]} examples, and {typed(source)} holds {shape[found.axis]} examples"),
        ),
        help=idiom(index, "positions first" if found.axis else "batch first"),
        remedy=remedy("have it read the examples as such", setting(place, "batch_first", str(not found.axis), calls=LAYERS)),
        facts=frozenset({Fact("odd-input", found.read.name)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(found.read.shown,),
    )  # fmt: skip
