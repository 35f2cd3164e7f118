"""WG220: the model's number of outputs is not the number of classes."""

import re
from collections.abc import Iterator
from dataclasses import replace
from math import isfinite

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.flow.makers import handed_out, layer_behind, making_site, sized_at
from whygrad.idioms import idiom, speaks_torch
from whygrad.ir import Site, Value
from whygrad.rules import rule
from whygrad.rules.loss.calls import Call, about_loss, calls, once_a_fault
from whygrad.rules.loss.ids import Outside, outsiders
from whygrad.rules.phrases import figure, places, plural, typed
from whygrad.rules.remedies import names_of, remedy
from whygrad.rules.remedies_of_settings import OTHER_SIZE, sized

BY_ROWS = ("cross_entropy", "binary_cross_entropy", "bce_with_logits", "kl_div")
"""Losses that compare a row of the prediction with a row of the labels."""


@rule("WG220", "class-count-mismatch", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The number of outputs is not the number of classes that the labels, or the loss's weights, speak of.

    ## What it finds
    Labels with more classes than the last layer has outputs, as after changing the data set and keeping the model; one-hot rows of another
    width than the prediction; class weights that were counted on data in which some class does not occur.

    ## Why it matters
    The loss raises an exception, often only at the first batch that holds a missing class, and names the label or the weights rather
    than the layer whose size is wrong.

    ## When it is fine
    More outputs than classes seen is common and right: a batch, or a small data set, need not hold every class. Ids counted from 1, and
    marks such as 255, are no missing outputs: WG204.

    ## How sure
    Proved by the recorded shapes and ids.

    ## References
    PyTorch: "Target 11 is out of bounds", "weight tensor should be defined either for all 12 classes or no classes".
    """
    outputs = [too_few(found) for found in outsiders(index) if found.too_few_outputs]
    weights = [short_weights(call, weight) for call in calls(index) if (weight := odd_weight(call))]
    rows = [other_width(call) for call in calls(index) if widths_differ(call)]
    yield from once_a_fault((*weights, *outputs, *rows))


def odd_weight(call: Call) -> Value | None:
    """The class weights of a call that raised, where they are not as many as the classes."""
    if not call.op.failed or not call.by_ids or call.classes is None:
        return None
    others = (call.step.value(name) for name in call.op.inputs if name not in (call.prediction.name, call.target.name))
    return next((value for value in others if value.shape and len(value.shape) == 1 and value.shape[0] != call.classes), None)


def widths_differ(call: Call) -> bool:
    """Rows of two widths in a loss that raised: of one class or more in the prediction, of several in the labels."""
    prediction, target = call.prediction.shape or (), call.target.shape or ()
    if not call.op.failed or len(prediction) < 2 or len(prediction) != len(target) or prediction[0] != target[0]:  # noqa: PLR2004 - an axis of rows and one of classes
        return False
    by_class = call.op.attributes.get("ids") is False or call.op.kind in BY_ROWS
    outputs, classes = widths(call)
    rest = [left == right for left, right in zip(prediction, target, strict=True)]
    # timid: a column of labels against several outputs holds ids, WG201 and WG202
    return by_class and classes not in (outputs, 1) and rest.count(False) == 1


def widths(call: Call) -> tuple[int, int]:
    """Classes of the prediction and of the labels; Keras and optax keep them on the last axis."""
    axis = 1 if speaks_torch(call.index) else -1
    return (call.prediction.shape or (0, 0))[axis], (call.target.shape or (0, 0))[axis]


def too_few(found: Outside) -> Diagnosis:
    """More classes among the labels than outputs."""
    call = found.call
    handed = handed_out(call.index, call.step, call.target.name)
    seen = (found.high, found.offender, handed.maximum if handed is not None else None)
    needed = int(max(at for at in seen if at is not None and isfinite(at))) + 1
    site = outputs_at(call, found.classes)
    said = _diagnosis(
        call,
        site,
        f"`{call.prediction.shown}` has {plural(found.classes, 'output')}, and `{call.target.shown}` holds the class id {figure(found.offender)}",
        plural(found.classes, "output"),
        f"{typed(call.prediction)} against ids from {figure(found.low)} to {figure(needed - 1)}",
        f"give the last layer at least {needed} outputs, as many as the data have classes",
    )
    rows = call.op.site if call.op.attributes.get("one_hot") else None
    if rows is not None:
        return replace(said, remedy=_columns(rows, needed), site=rows)
    return replace(said, remedy=sized(site, found.classes, needed) or _by_default(call, site, needed))


def other_width(call: Call) -> Diagnosis:
    """Rows of another width."""
    outputs, classes = widths(call)
    rows = call.step.producer.get(call.step.origin(call.target.name, ("cast",)))
    made = rows[1].site if rows is not None and rows[1].kind == "one_hot" and outputs > 1 else None
    said = _diagnosis(
        call,
        made or outputs_at(call, outputs),
        f"`{call.prediction.shown}` has {plural(outputs, 'output')}, and each row of `{call.target.shown}` {classes}",
        plural(outputs, "output"),
        f"{typed(call.prediction)} against {typed(call.target)}",
        _single(call) if outputs == 1 else f"give the last layer {classes} outputs, or make rows of {outputs} columns",
    )
    if made is not None:
        return replace(said, remedy=_columns(made, outputs))
    if outputs == 1 and _yes_or_no(call):
        return said
    at = outputs_at(call, outputs)
    return replace(said, remedy=sized(at, outputs, classes) or _by_default(call, at, classes))


_SIZE = re.compile(r",\s*(?:\w+\s*=\s*)?([A-Za-z_]\w*)\s*[,)]")
"""`nn.Linear(width, classes)`: a size with a name, behind that of the input."""


def _by_default(call: Call, at: Site | None, classes: int) -> Remedy | None:
    """The size handed to a model's class, where that has another one for its default."""
    found = layer_behind(call.step, call.prediction.name)
    layer = found[1].site if found and found[1] else None
    size = _SIZE.search(layer.text) if layer is not None else None
    owner = layer.function.rpartition(".")[0].rpartition(".")[2] if layer is not None else ""
    if at is None or size is None or not owner or f"{owner}(" not in at.text or at == layer:
        return None
    told = Edit("argument", at, str(classes), (owner,), size[1])
    return remedy(f"make the model with {classes} outputs", told, changes=OTHER_SIZE)


def _columns(site: Site, classes: int) -> Remedy | None:
    """Rows with a column for each class, where they are made of ids."""
    return remedy(f"make rows of {classes} columns", Edit("argument", site, str(classes), ("one_hot", "to_categorical"), "num_classes", 1))


def _yes_or_no(call: Call) -> bool:
    """One output and a binary cross-entropy, with a row of two columns for each example: one of the two is superfluous."""
    return call.op.kind in ("binary_cross_entropy", "bce_with_logits") and widths(call)[1] == 2  # noqa: PLR2004 - yes and no


def _single(call: Call) -> str:
    """What to do about a single output."""
    classes = widths(call)[1]
    if _yes_or_no(call):
        return f"give this loss one column of 0 and 1, `{call.target.written}[:, 1:]`, or ids that were never made into columns"
    return f"give the last layer {classes} outputs, one for each column of `{call.target.shown}`"


def short_weights(call: Call, weight: Value) -> Diagnosis:
    """Class weights for another number of classes."""
    count = (weight.shape or (0,))[0]
    said = _diagnosis(
        call,
        making_site(call.index, call.step, weight.name),
        f"`{weight.shown}` weighs {count} classes, and `{call.prediction.shown}` has {call.classes}",
        f"{count} weights",
        f"{typed(call.prediction)} has {call.classes} classes; the weights are {weight.type}",
        f"count every class, also those that do not occur: {idiom(call.index, 'class counts', classes=call.classes)}",
    )
    unweighted = (
        Edit("argument", call.op.site, calls=names_of(call.op), keyword="weight") if call.op.site and speaks_torch(call.index) else None
    )
    return replace(said, remedy=remedy("leave the weights out", unweighted, changes="every example counts alike, whatever its class"))


def outputs_at(call: Call, outputs: int) -> Site | None:
    """The line that gave the last layer its number of outputs."""
    found = layer_behind(call.step, call.prediction.name)
    return sized_at(found[1], outputs) if found and found[1] else None


def _diagnosis(call: Call, site: Site | None, message: str, label: str, shapes: str, help_: str) -> Diagnosis:
    found = about_loss(
        call,
        label,
        rule="WG220",
        name="class-count-mismatch",
        severity="error",
        confidence="proved",
        message=message,
        related=places((call.op.site if site else None, "the loss finds it here")),
        evidence=(Evidence(shapes, "classes", call.classes),),
        help=help_,
        facts=frozenset({Fact("odd-shape", call.prediction.name)}),
    )
    return replace(found, site=site or found.site)
