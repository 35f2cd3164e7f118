"""WG201: class ids where a column for each class is due."""

import re
from collections.abc import Iterator
from math import prod

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import keeps_axis, layer_behind, making_site
from whygrad.idioms import idiom, speaks_torch
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Value
from whygrad.loss_contracts import REGRESSIONS
from whygrad.rules import rule
from whygrad.rules.loss.calls import INTEGERS, Call, about_loss, bounds, calls, once_a_fault
from whygrad.rules.loss.columns import products, refused_products
from whygrad.rules.loss.exceptions import raised_by
from whygrad.rules.phrases import figure, places, typed
from whygrad.rules.remedies import ACTIVATIONS, operand, other_loss, remedy, unwrapped

_DENSE = REGRESSIONS | {"binary_cross_entropy", "bce_with_logits", "kl_div"}


@rule("WG201", "sparse-labels-for-dense-loss", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Class ids are given to a loss that compares class by class, and so needs a column of its own for each class.

    ## What it finds
    A binary cross-entropy, a divergence or a squared error on predictions (N, C, …) whose target (N, …) holds class ids; a Dice or
    similar loss written by hand that multiplies a softmax over classes, or its logarithm, with the ids themselves.

    ## Why it matters
    The loss raises an exception because of the shapes, or where they happen to broadcast it takes the number 3 for "three times as much
    as class 1": every class is pulled towards the same number, and no entry says which class is right.

    ## When it is fine
    One column of zeros and ones for a single yes-or-no question is what a binary cross-entropy is for. Weights that multiply a prediction
    are left alone unless they come from the labels and go above 1 in whole numbers.

    ## How sure
    Proved by the recorded shapes and values. Targets that are not whole numbers are never taken for ids.

    ## References
    What each loss takes (PyTorch): `cross_entropy`, `nll_loss`: ids (N, …); `binary_cross_entropy`, `binary_cross_entropy_with_logits`,
    `kl_div`: one value for each class, as (N, C, …). Keras, `CategoricalCrossentropy`; optax, `softmax_cross_entropy`.
    `whygrad explain WG202` for the reverse.
    """
    found = (diagnosis(call) for call in calls(index) if compares_columns(call))
    yield from once_a_fault(
        (*found, *(by_hand(index, step, *pair) for step in index.steps for pair in (*products(step), *refused_products(step))))
    )


def compares_columns(call: Call) -> bool:
    """The prediction has an axis of several classes that the target lacks, and the target counts in whole numbers."""
    prediction, target = call.prediction.shape, call.target.shape
    if not call.whole or not prediction or not target or call.target.dtype == "bool":
        return False
    if keeps_axis(call.step, call.prediction.name) is not None and prod(target[1:]) == 1 and _one_output(call):
        return False  # its columns are steps, not classes: WG705
    if call.op.attributes.get("ids") is False:
        # a loss of Keras' that compares rows; where the batches differ as well, that is WG209's, and this is a fault all the same
        ids = len(target) == len(prediction) - 1 and not _one_hot(call.target, prediction[-1])
        return len(prediction) > 1 and prediction[-1] > 1 and (ids or target[1:] == (1,) or target == (*prediction[:-1], 1))
    if call.op.kind not in _DENSE:
        return False
    lacks = len(prediction) > 1 and prediction[1] > 1 and prediction[:1] + prediction[2:] in (target, _without_classes(target))
    # timid: without an exception, the broadcast of squared errors is WG203's, and ones and zeros may be a mask
    return lacks and target != prediction and (call.op.failed or above_one(call.target))


def _one_output(call: Call) -> bool:
    """The model gives one number at a time, whose axis the loss has taken off."""
    found = layer_behind(call.step, call.prediction.name)
    return found is not None and (call.step.value(found[0].output).shape or ())[-1:] == (1,)


def _one_hot(target: Value, classes: int) -> bool:
    """Its rows have a column for each class and one 1 each: what lacks an axis there is something else."""
    figures = target.statistics
    return (target.shape or ())[-1:] == (classes,) and figures is not None and figures.row_sums == (1.0, 1.0)


def _without_classes(target: tuple[int, ...]) -> tuple[int, ...]:
    """A target's shape without an axis for classes that has room for one number only; what has several columns holds no ids."""
    return target[:1] + target[2:] if target[1:2] == (1,) else target


def above_one(value: Value) -> bool:
    """Some entry is larger than 1: no share and no yes or no."""
    range_ = bounds(value)
    return range_ is not None and range_[1] > 1 and range_[0] >= 0


def diagnosis(call: Call) -> Diagnosis:
    """What is said of a loss call."""
    prediction, target, op = call.prediction, call.target, call.op
    classes = (prediction.shape or (0, 0))[1 if speaks_torch(call.index) else -1]
    made = making_site(call.index, call.step, target.name)
    return about_loss(
        call,
        f"`{call.called}` compares class by class, and needs a column for each of the {classes} classes",
        related=places((made, f"`{target.shown}` holds ids from here on")),
        rule="WG201",
        name="sparse-labels-for-dense-loss",
        severity="error",
        confidence="proved",
        message=f"`{call.called}` needs a column for each class, and `{target.shown}` holds class ids",
        evidence=tuple(figures_of(prediction, target, raised=op.failed)),
        help=idiom(call.index, "sparse or dense", scores=prediction.written, ids=target.written, classes=classes),
        remedy=_remedy(call),
        facts=frozenset({Fact("odd-shape", prediction.name)}),
    )


def _remedy(call: Call) -> Remedy | None:
    """The loss that takes ids; what one of Keras' or optax' calculates is the same."""
    op, step = call.op, call.step
    instead = other_loss(call.index, op, "cross-entropy by ids")
    if not speaks_torch(call.index):
        text = "{x}" if op.native.startswith("keras.") else _as_ids(call)
        return remedy("use the loss that takes class ids", instead, *([operand(op, call.target, text)] if text != "{x}" else []))
    made = step.producer.get(step.origin(call.prediction.name, ("cast",)))
    squashed = [unwrapped(call.index, step, made[1])] if made is not None and made[1].kind in ACTIVATIONS else []
    cast = [operand(op, call.target, "{x}.long()")] if call.target.dtype != "i64" else []
    return remedy(
        "use the cross-entropy, which takes class ids",
        instead,
        *cast,
        *squashed,
        changes="the loss becomes a cross-entropy over classes that exclude one another",
    )


def figures_of(prediction: Value, target: Value, *, raised: bool) -> Iterator[Evidence]:
    """Shapes and range."""
    yield Evidence(f"{typed(prediction)} against {typed(target)}{': the loss raised' if raised else ''}")
    range_ = bounds(target)
    if range_ is not None:
        yield Evidence(f"`{target.shown}` holds whole numbers from {figure(range_[0])} to {figure(range_[1])}", "maximum", range_[1])


def by_hand(index: Index, step: StepIndex, op: Op, prediction: Value, ids: Value, axis: int) -> Diagnosis:
    """What is said of a product in a hand-written loss."""
    classes = (prediction.shape or ())[axis]
    return Diagnosis(
        rule="WG201",
        name="sparse-labels-for-dense-loss",
        severity="error",
        confidence="proved",
        message=f"`{ids.shown}` holds class ids, and meets the probabilities of {classes} classes as if it were one-hot",
        site=op.site,
        label="every class is compared with the same number",
        evidence=tuple(figures_of(prediction, ids, raised=op.failed)),
        help=f"make one-hot planes of the ids first: {idiom(index, 'one-hot planes', classes=classes, axis=axis)}",
        facts=frozenset({Fact("odd-shape", prediction.name)}),
        explains=raised_by(index, step, op) if op.failed else frozenset(),
        kind=step.step.kind,
        step=step.step.index,
        names=(prediction.shown, ids.shown),
        remedy=_planes(index, step, op, ids, classes, axis) if not op.failed else None,
    )


def _planes(index: Index, step: StepIndex, op: Op, ids: Value, classes: int, axis: int) -> Remedy | None:
    """A plane of zeros and ones for each class, where the ids get the name under which the loss reads them, or where it alone reads them."""
    made = step.producer.get(ids.name)
    site = made[1].site if made is not None else None
    own = site is not None and op.site is not None and (site.file, site.function) == (op.site.file, op.site.function)
    flat = spelling(index, "without axis", axis=axis)
    whole = flat if ids.dtype in INTEGERS else spelling(index, "whole").replace("{x}", flat)
    planes = spelling(index, "one-hot", classes=classes).replace("{x}", whole)
    last = axis == len(ids.shape or ()) - 1
    text = planes if last else spelling(index, "axis moved", axis=-1, to=axis).replace("{x}", planes)
    edit = None
    if site is not None and own and re.match(rf"\s*{re.escape(ids.called)}\s*=[^=]", site.text):
        edit = Edit("wrap", site, text, around="value")
    elif not own and ids.called.isidentifier() and (reader := _reader(step, op, ids)) is not None:
        edit = operand(reader, ids, text)
    return remedy("make one-hot planes of the ids", edit)


def _reader(step: StepIndex, op: Op, ids: Value) -> Op | None:
    """What alone reads the ids: the op itself, or the sign in front of them."""
    readers = list(step.consumers.get(ids.name, ()))
    if len(readers) == 1 and readers[0].kind == "neg" and list(step.consumers.get(readers[0].output, ())) == [op]:
        return readers[0]
    return op if readers == [op] else None


def _as_ids(call: Call) -> str:
    """The labels without an axis of size 1, and in whole numbers: functions of the backends, unlike Keras' losses, take nothing else."""
    text = spelling(call.index, "without axis", axis=-1) if (call.target.shape or ())[1:] == (1,) else "{x}"
    return text if call.target.dtype in INTEGERS else spelling(call.index, "whole").replace("{x}", text)
