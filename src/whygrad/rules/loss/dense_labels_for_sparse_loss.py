"""WG202: one-hot rows, floats or columns where class ids are due."""

from collections.abc import Iterator
from dataclasses import replace

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.idioms import idiom, speaks_torch
from whygrad.idioms.spellings import spelling
from whygrad.ir import Value
from whygrad.rules import rule
from whygrad.rules.loss.calls import BY_IDS, INTEGERS, Call, about_labels, bounds, calls, known, once_a_fault, relabelled
from whygrad.rules.loss.exceptions import message_of
from whygrad.rules.loss.faint_marks import faint
from whygrad.rules.loss.scaled_ids import Scaled, scaled, told
from whygrad.rules.phrases import figure, places, typed
from whygrad.rules.remedies import other_loss, remedy

_IDS = BY_IDS | {"hinge_loss"}
_BY_IDS_NATIVE = "multi_margin_loss"


@rule("WG202", "dense-labels-for-sparse-loss", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    One-hot rows, a column, or floating numbers are given to a loss that needs class ids.

    ## What it finds
    `cross_entropy`, `nll_loss` or `multi_margin_loss` that raised because its target has a row for each example: one-hot rows of integers,
    ids in a column (N, 1), or ids in a floating dtype. Also ids that were scaled, often along with the features of their table, and then cut
    to whole numbers, so that all but the largest are 0. And marks of a binary cross-entropy that were divided twice: 0 and 1 / 255, and never 1.

    ## Why it matters
    The framework raises an exception at the loss. The labels were made in another form than this loss reads, which is common where code
    comes from another framework: Keras' `categorical_crossentropy` wants one-hot rows, `sparse_categorical_crossentropy` ids.

    ## When it is fine
    Ids 0 and 1 are fine for two outputs, and quotients that reach more than 1 are bins. `cross_entropy` takes rows of probabilities in a floating dtype too: for soft labels, mixup or label smoothing. Those are left alone, and so are
    targets of a binary loss that hold more than two values, or whose larger value is above a half.

    ## How sure
    Proved by the shapes and dtypes at the call that raised, and by the scaling and the cast in the graph. Suspected where ids of nothing but
    0 and 1, nine in ten of them 0, come from a loader beside a table that reaches 1 exactly, and the model has three outputs or more.

    ## References
    PyTorch: "0D or 1D target tensor expected, multi-target not supported", "Expected floating point type for target with class
    probabilities", "expected scalar type Long but found Float". Keras, `SparseCategoricalCrossentropy`; optax,
    `softmax_cross_entropy_with_integer_labels`. `whygrad explain WG201` for the reverse.
    """
    found = tuple(calls(index))
    yield from once_a_fault(diagnosis(call, form) for call in found if (form := form_of(call)))
    yield from once_a_fault(cut(call, item) for call in found if (item := scaled(call)) is not None)
    yield from once_a_fault(faint(index))


def cut(call: Call, found: Scaled) -> Diagnosis:
    """What is said of ids that were scaled, at the scaling."""
    made = about_labels(
        call,
        "drops the fractions of scaled ids",
        f"`{call.called}` needs the ids as they were",
        rule="WG202",
        name="dense-labels-for-sparse-loss",
        severity=found.severity,
        confidence=found.confidence,
        message=told(found, call.target.shown),
        evidence=found.evidence(call.target.shown),
        help="take the labels out of the table before it is scaled, and scale the features alone",
        facts=frozenset({Fact("odd-input", call.target.name)}),
        explains=frozenset({Fact("stands", str(call.step.step.kind)), Fact("constant", call.target.name)})
        | frozenset({Fact("insensitive", str(call.step.step.kind))} if found.cast is not None else ()),
    )
    scale = found.scale.site if found.scale is not None else None
    if scale is None:
        return made
    at_cast = (found.cast.site, "and cut to whole numbers here") if found.cast else (None, "")
    return replace(
        made,
        site=scale,
        label="scales the class ids too" if found.shared else "scales the class ids",
        related=places(at_cast, (call.op.site, "the loss")),
    )


def form_of(call: Call) -> str:
    """In which form the target came instead of ids; "" where nothing speaks against it."""
    prediction, target = call.prediction.shape, call.target.shape
    takes_ids = call.by_ids or _BY_IDS_NATIVE in call.op.native
    if not takes_ids or prediction is None or target is None:
        return ""
    if call.op.attributes.get("ids"):
        if len(target) == len(prediction) > 1 and target[-1] == prediction[-1] > 1:
            return "rows"
        return refused_ids(call, prediction, target) if call.op.failed else ""
    return refused_form(call, prediction, target) if call.op.failed else ""


def refused_ids(call: Call, prediction: tuple[int, ...], target: tuple[int, ...]) -> str:
    """The same for a loss with its classes on the last axis that raised."""
    if target == prediction[:-1] and call.target.dtype.startswith(("f", "bf")) and refused_dtype(call):
        return "floats"
    # Keras' own loss takes a column; where it raised, it was for another reason
    about = any(word in message_of(call.index, call.step) for word in ("rank", "number of dimensions"))
    return "column" if about and len(target) == len(prediction) > 1 and target == (prediction[0], 1, *prediction[2:]) else ""


def refused_form(call: Call, prediction: tuple[int, ...], target: tuple[int, ...]) -> str:
    """The same for a loss that raised."""
    if target == prediction and len(target) > 1 and call.target.dtype in (*INTEGERS, "bool"):
        return "rows"
    if target == prediction and len(target) > 1 and (call.op.kind != "cross_entropy" or call.contract.targets == ("ids",)):
        return "rows"
    if len(target) == len(prediction) > 1 and target == (prediction[0], 1, *prediction[2:]):
        return "column"
    if target == prediction[:1] + prediction[2:] and call.target.dtype.startswith(("f", "bf")) and refused_dtype(call):
        return "floats"
    return ""


def refused_dtype(call: Call) -> bool:
    """The exception is about a dtype."""
    said = message_of(call.index, call.step)
    return any(word in said for word in ("Long", "Float", "Double", "Int", "dtype", "scalar type", "allowed values"))


def diagnosis(call: Call, form: str) -> Diagnosis:
    """What is said, where the labels were made."""
    target = call.target
    what = {"rows": "one-hot rows", "column": "a column of ids", "floats": "floating numbers"}[form]
    return about_labels(
        call,
        f"`{target.shown}` is {target.type}: {what}",
        f"`{call.called}` needs class ids here",
        rule="WG202",
        name="dense-labels-for-sparse-loss",
        severity="error",
        confidence="proved",
        message=f"`{call.called}` needs class ids, and `{target.shown}` holds {what}",
        evidence=tuple(evidence(call)),
        help=_help(call, form),
        remedy=_remedy(call, form),
        facts=frozenset({Fact("odd-shape", target.name)}),
    )


def evidence(call: Call) -> Iterator[Evidence]:
    """Shapes, dtypes and the range."""
    ids = "i64" if speaks_torch(call.index) else "i32"
    wanted = ",".join(map(str, (call.prediction.shape or ())[:1] + (call.prediction.shape or ())[2:]))
    yield Evidence(f"{typed(call.prediction)} against {typed(call.target)}: `{call.called}` reads ids as {ids}[{wanted}]")
    range_ = bounds(call.target)
    if range_ is not None:
        yield Evidence(f"`{call.target.shown}` lies between {figure(range_[0])} and {figure(range_[1])}", "maximum", range_[1])


def _help(call: Call, form: str) -> str:
    """What to pass, ready to paste."""
    name, index = call.target.written, call.index
    if form == "rows":
        soft = idiom(index, "dense loss", name=name) if call.op.kind == "cross_entropy" else ""
        return f"pass ids: {idiom(index, 'ids as', name=name)}{soft}"
    if form == "column":
        whole = call.target.dtype in ("i64", "i32") if not speaks_torch(index) else call.target.dtype == "i64"
        return f"pass {idiom(index, 'squeeze' if whole else 'squeezed integers', name=name)}"
    lost = " (but look first why they are not whole: a scaling by mistake makes every id 0)" if not_whole(call.target) else ""
    return f"pass {idiom(index, 'integers', name=name)}{lost}"


def _remedy(call: Call, form: str) -> Remedy | None:
    """The target as ids, or the loss that takes rows where the library has one for each."""
    index = call.index
    if form == "rows":
        if not speaks_torch(index):
            return remedy("use the loss that takes one-hot rows", other_loss(index, call.op, "cross-entropy by rows"))
        return relabelled(call, "pass the ids of the rows", "{x}.argmax(1)")
    if form == "column":
        cast = ".long()" if call.target.dtype != "i64" and speaks_torch(index) else ""
        return relabelled(call, "take the axis of size 1 away", spelling(index, "without axis", data=True, axis=1) + cast)
    # timid: a cast drops fractions, which tell that the ids were scaled
    return None if not_whole(call.target) else relabelled(call, "make whole numbers of the ids", spelling(index, "whole", data=True))


def not_whole(value: Value) -> bool:
    """Some entry has a fraction, which a cast to integers would drop."""
    figures = known(value)
    return figures is not None and figures.whole is not None and figures.whole < 1.0
