"""WG209: inputs and labels differ in number."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import edited_at, making_site
from whygrad.flow.origins import unpacked_at
from whygrad.idioms import idiom, speaks, speaks_torch
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Site, Value, family
from whygrad.loss_contracts import contract_of, input_of, target_of
from whygrad.rules import rule
from whygrad.rules.loss.exceptions import raised_by
from whygrad.rules.loss.later_mismatch import later_mismatches
from whygrad.rules.loss.shapes import other_rows, pairs_up
from whygrad.rules.phrases import distinct, places, typed
from whygrad.rules.remedies import operand, remedy, setting
from whygrad.rules.remedies_of_settings import fed

_OPERATIONS = frozenset(("add", "sub", "mul", "div", "pow", "where", "compare", "maximum", "minimum"))

_GIVEN_TOGETHER = ("keras.Model.fit",)
"""Calls that are given inputs and labels together, and refuse them where their numbers differ."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Two values that should have a row for each example, and don't have as many."""

    op: Op
    prediction: Value
    target: Value
    rows: tuple[int, int]
    """Of the prediction, of the target."""


@dataclass(frozen=True, slots=True)
class Change:
    """An op that made another number of rows."""

    op: Op
    before: Value
    after: Value


@rule("WG209", "batch-size-mismatch", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The prediction has another number of rows than the labels.

    ## What it finds
    A loss, or arithmetic on its way, that was given different numbers of examples on its two sides: a `view(-1, 400)` with the wrong
    number of features takes rows out of the batch or puts some in, a recurrent layer gets time and batch in the wrong order, labels or
    weights of the whole data set meet the predictions of one batch. Also a later batch, the last one above all, that has other numbers of the two and raises.

    ## Why it matters
    The framework raises an exception at the loss, while the fault was made earlier, in the model or where the data are prepared.

    ## When it is fine
    One row broadcasts to any number, and a single number has no rows: both are left alone. Losses whose batch is not on the first axis
    (CTC) are not judged by it.

    ## How sure
    Proved by the recorded shapes. The line is the last op that changed the number of rows on the side that left the batch's, and the loss
    where no such op is found. Of two arrays given to `fit`, it is where the second was made, or `fit` where the program holds a like array with
    the right number of rows. Where the labels are rows like the inputs and both were taken out of one call's result, as of `train_test_split`, it is that call.

    ## References
    PyTorch: "Expected input batch_size (…) to match target batch_size (…)", "The size of tensor a must match the size of tensor b".
    """
    yield from distinct(diagnosis(index, step, found) for step in index.steps for found in mismatches(step))
    yield from later_mismatches(index)


def mismatches(step: StepIndex) -> Iterator[Mismatch]:
    """Calls whose two sides differ in rows: losses, and arithmetic that raised."""
    for op in step.graph.ops:
        sides = sides_of(step, op)
        rows = (leading(sides[0]), leading(sides[1])) if sides else (0, 0)
        if sides and rows[0] != rows[1] and 0 not in rows and (1 not in rows or refuses_one(op)):
            yield Mismatch(op, *sides, rows)


def sides_of(step: StepIndex, op: Op) -> tuple[Value, Value] | None:
    """Prediction and target of a loss; of arithmetic that raised, what depends on parameters and what does not."""
    if not op.failed and (family(op.kind) != "loss" or step.shapes_loss.isdisjoint(op.outputs)):
        return None
    if family(op.kind) == "loss":
        return _of_loss(step, op)
    if op.native in _GIVEN_TOGETHER and len(op.inputs) > 1:
        others = (step.value(name) for name in op.inputs[1:])
        first = step.value(op.inputs[0])
        return first, next((value for value in others if leading(value) != leading(first)), first)
    inputs = op.inputs[-2:] if op.kind in _OPERATIONS else ()
    shaped = [name for name in inputs if name in step.depends_on_parameters]
    given = [name for name in inputs if name not in step.depends_on_parameters]
    if len(shaped) != 1 or len(given) != 1:
        return None
    one, other = step.value(shaped[0]), step.value(given[0])
    # timid: shapes that differ behind the first axis, or only in rank, are another fault
    return (one, other) if one.shape and other.shape and one.shape[1:] == other.shape[1:] else None


def _of_loss(step: StepIndex, op: Op) -> tuple[Value, Value] | None:
    first, second, contract = input_of(op), target_of(op), contract_of(op)
    if contract is None or contract.batch_axis != 0 or first is None or second is None:
        return None
    prediction, target = step.value(first), step.value(second)
    # timid: the scores of a single example have classes on their first axis
    single = contract.class_axis is not None and not (prediction.shape or ())[1:]
    # timid: without an exception they broadcast, which may be meant unless it makes more entries than either side has
    fits = (
        contract.elementwise
        and not op.failed
        and not (pairs_up(prediction.shape, target.shape) and other_rows(prediction.shape, target.shape))
    )
    return None if single or fits else (prediction, target)


def leading(value: Value) -> int:
    """Rows of a value; 0 if it has none or they are unknown."""
    return value.shape[0] if value.shape else 0


def refuses_one(op: Op) -> bool:
    """It takes no single row for many."""
    contract = contract_of(op)
    return contract is not None and (contract.class_axis is not None or op.failed)


def batch_rows(step: StepIndex) -> frozenset[int]:
    """Numbers of rows of what was fed to the model."""
    fed = [value for value in step.values.values() if value.role == "input"]
    handed = [step.value(name) for event in step.events("batch") for name in event.targets]
    return frozenset(leading(value) for value in (*fed, *handed)) - {0}


def change_on_the_way(step: StepIndex, side: Value, expected: frozenset[int]) -> Change | None:
    """The last op on the way to `side` that turned one of the expected numbers of rows into another."""
    name, rows = side.name, leading(side)
    while name in step.producer:
        op = step.producer[name][1]
        inputs = [given for given in op.inputs if step.value(given).role not in ("parameter", "buffer")]
        before = next((step.value(given) for given in inputs if leading(step.value(given)) in expected), None)
        if before is not None and leading(before) != rows and rows == leading(step.value(name)):
            return Change(op, before, step.value(name))
        follow = next((given for given in inputs if leading(step.value(given)) == rows), None)
        if follow is None:
            return None
        name = follow
    return None


def culprit(step: StepIndex, found: Mismatch) -> Change | None:
    """What changed the number of rows, on the side that left the batch's; None where neither or both did."""
    predicted, given = found.rows
    recurrent = time_first(step, found)
    if recurrent is not None:
        return recurrent
    batch = batch_rows(step)
    if given in batch or not batch:
        change = change_on_the_way(step, found.prediction, frozenset((given,)))
        if change is not None or predicted not in batch:
            return change
    if predicted in batch:
        return change_on_the_way(step, found.target, frozenset((predicted,)))
    return None


def time_first(step: StepIndex, found: Mismatch) -> Change | None:
    """A recurrent layer that takes the time for the batch: what it reads has the labels' rows first and the prediction's second."""
    predicted, given = found.rows
    above = step.upstream(found.prediction.name)
    for op in step.graph.ops:
        shape = step.value(op.inputs[0]).shape if op.kind == "rnn" and op.inputs and not above.isdisjoint(op.outputs) else None
        if shape is not None and shape[:2] == (given, predicted) and len(shape) == 3:  # noqa: PLR2004 - rows, positions, features
            return Change(op, step.value(op.inputs[0]), step.value(op.output))
    return None


def diagnosis(index: Index, step: StepIndex, found: Mismatch) -> Diagnosis:
    """What is said, where the number of rows changed."""
    prediction, target, change = found.prediction, found.target, culprit(step, found)
    moved = change is not None and change.op.site is not None
    numbers = f"{found.rows[0]:,} rows against {found.rows[1]:,}"
    swapped = _swapped(index, found)
    made = swapped or (making_site(index, step, target.name) if found.op.native in _GIVEN_TOGETHER else None)
    return Diagnosis(
        rule="WG209",
        name="batch-size-mismatch",
        severity="error",
        confidence="proved",
        message=f"`{prediction.shown}` and `{target.shown}` differ in number: {numbers}",
        site=edited_at(step, change.op)
        if change is not None and moved and change.op.kind == "rnn"
        else change.op.site
        if change is not None and moved
        else made or found.op.site,
        label=f"{change.before.type} becomes {change.after.type}" if change is not None and moved else numbers,
        related=places((found.op.site if moved or made else None, f"{numbers} meet here")),
        evidence=tuple(evidence(found, change)),
        help=_help(index, found, change)
        if swapped is None
        else f"take the results apart in the order in which the call returns them: `{target.shown}` has rows like the inputs, not labels",
        facts=frozenset({Fact("odd-shape", prediction.name)}),
        explains=raised_by(index, step, found.op),
        kind=step.step.kind,
        step=step.step.index,
        names=(prediction.shown, target.shown),
        remedy=_changed(index, step, change) if change is not None else _remedy(index, found) if swapped is None else None,
    )


def _changed(index: Index, step: StepIndex, change: Change) -> Remedy | None:
    """A recurrent layer of PyTorch's that is told where the batch is, or a flattening that keeps the rows."""
    if change.op.kind == "reshape" and change.op.site is not None:
        kept = Edit("swap", change.op.site, spelling(index, "flattened", axis=1), ("view", "reshape"))
        reader = next((op for op in step.graph.ops if change.op.output in op.inputs and op.kind in ("linear", "matmul")), None)
        weight = next((p for p in step.step.parameters if reader is not None and p.value in reader.inputs and p.site), None)
        size, due = prod((change.before.shape or ())[1:]), (change.after.shape or (0,))[-1]
        grown = fed(weight.site, size, due) if weight is not None and weight.site is not None and speaks_torch(index) else None
        # layers of Keras' are made for what comes in first
        if grown is None and not speaks(index, "tensorflow"):
            return None
        edits = grown.edits if grown is not None else ()
        return remedy("keep the first axis", kept, *edits, changes=f"the next layer gets {size:,} features")
    if change.op.kind != "rnn" or not speaks_torch(index):
        return None
    told = setting(edited_at(step, change.op), "batch_first", "True", calls=("LSTM", "GRU", "RNN"))
    return remedy(
        "tell the layer that the batch comes first", told, changes="whatever else reads what the layer gives finds the batch first"
    )


def _swapped(index: Index, found: Mismatch) -> Site | None:
    """The call whose parts went to the wrong names: what is given as labels are rows like those of the inputs, from the same call."""
    one, other = found.prediction, found.target
    rows, others = one.shape or (), other.shape or ()
    alike = found.op.native in _GIVEN_TOGETHER and one.dtype == other.dtype and len(rows) > 1 and rows[1:] == others[1:]
    return unpacked_at(index, other.name) if alike else None


def evidence(found: Mismatch, change: Change | None) -> Iterator[Evidence]:
    """The shapes at the loss, and before and after the op that changed them."""
    name = found.op.kind if found.op.kind != "opaque" else found.op.native.rsplit(".", 1)[-1]
    outcome = f"`{name}` raised" if found.op.failed else f"`{name}` took them"
    yield Evidence(f"{typed(found.prediction)} against {typed(found.target)}: {outcome}", "rows", found.rows[0])
    if change is not None:
        yield Evidence(
            f"`{change.op.kind}` makes {change.after.type} of {change.before.type}: the rows are no longer the examples",
            "rows",
            leading(change.after),
        )


def _window(found: Mismatch) -> int:
    """How long the windows of a series are that lack as many rows as they are long: the target is the series itself; 0 where they are no windows."""
    shape = found.prediction.shape or ()
    long = shape[1] if len(shape) > 1 else 0
    return long if found.op.native in _GIVEN_TOGETHER and long > 1 and found.rows[0] + long == found.rows[1] else 0


def _help(index: Index, found: Mismatch, change: Change | None) -> str:
    """How to keep a row for each example."""
    width = _window(found) if change is None else 0
    if width:
        return f"the inputs are windows of {width} rows, and `{found.target.shown}` is the whole series: give each window what follows it, `{found.target.written}[{width}:]`"
    if change is None:
        return f"take the rows of `{found.target.shown}` that belong to this batch, by the same index as the inputs"
    if change.op.kind == "reshape":
        return idiom(index, "keep rows", name=change.before.written)
    if change.op.kind == "rnn":
        return idiom(index, "batch first")
    return f"keep the first axis at {leading(change.before):,}, or change `{found.target.shown}` in the same way"


def _remedy(index: Index, found: Mismatch) -> Remedy | None:
    """As many rows of the longer side as the shorter has, where nothing in the step changed their number; behind windows of a series what comes after each."""
    width = _window(found)
    if width:
        return remedy(
            f"give each window of {width} what follows it: `{found.target.written}[{width}:]`",
            Edit("wrap", found.op.site, f"{{x}}[{width}:]", ("fit",), "y", 1) if found.op.site else None,
            changes=f"the first {width} rows of `{found.target.written}` are not trained on, since no window ends in front of them",
        )
    sides = (found.prediction, found.target)
    shorter, longer = sorted(sides, key=leading)
    text = found.op.site.text if found.op.site is not None else ""
    rows = f"tensorflow.shape({shorter.written})[0]" if speaks(index, "tensorflow") else f"len({shorter.written})"
    count = rows if shorter.written in text else str(leading(shorter))  # it may have that name in another function only
    edit = operand(found.op, longer, f"{{x}}[:{count}]")
    more = leading(longer) - leading(shorter)
    return remedy(
        f"use the first {leading(shorter):,} rows of `{longer.written}`",
        edit,
        changes=f"the last {more:,} rows of `{longer.written}` are not trained on, and which rows belong together is taken from their order",
    )
