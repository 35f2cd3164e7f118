"""WG202: one-hot rows, floats or columns where class ids are due."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.ir import Value
from whygrad.rules import rule
from whygrad.rules.loss.calls import BY_IDS, INTEGERS, Call, about_labels, bounds, calls, known, once_a_fault
from whygrad.rules.loss.exceptions import message_of
from whygrad.rules.phrases import figure, typed

_IDS = BY_IDS | {"hinge_loss"}
_BY_IDS_NATIVE = "multi_margin_loss"


@rule("WG202", "dense-labels-for-sparse-loss", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    One-hot rows, a column, or floating numbers are given to a loss that needs class ids.

    ## What it finds
    `cross_entropy`, `nll_loss` or `multi_margin_loss` that raised because its target has a row for each example: one-hot rows of integers,
    ids in a column (N, 1), or ids in a floating dtype.

    ## Why it matters
    The framework raises an exception at the loss. The labels were made in another form than this loss reads, which is common where code
    comes from another framework: Keras' `categorical_crossentropy` wants one-hot rows, `sparse_categorical_crossentropy` ids.

    ## When it is fine
    `cross_entropy` takes rows of probabilities in a floating dtype too: for soft labels, mixup or label smoothing. Those are left alone.

    ## How sure
    Proved by the shapes and dtypes at the call that raised.

    ## References
    PyTorch: "0D or 1D target tensor expected, multi-target not supported", "Expected floating point type for target with class
    probabilities", "expected scalar type Long but found Float". `whygrad explain WG201` for the reverse.
    """
    yield from once_a_fault(diagnosis(call, form) for call in calls(index) if (form := form_of(call)))


def form_of(call: Call) -> str:
    """In which form the target came instead of ids; "" where nothing speaks against it."""
    prediction, target = call.prediction.shape, call.target.shape
    takes_ids = call.by_ids or _BY_IDS_NATIVE in call.op.native
    if not takes_ids or prediction is None or target is None:
        return ""
    if call.op.attributes.get("ids"):
        return "rows" if len(target) == len(prediction) > 1 and target[-1] == prediction[-1] > 1 else ""
    return refused_form(call, prediction, target) if call.op.failed else ""


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
    return any(word in said for word in ("Long", "Float", "Double", "Int", "dtype", "scalar type"))


def diagnosis(call: Call, form: str) -> Diagnosis:
    """What is said, where the labels were made."""
    target, op = call.target, call.op
    what = {"rows": "one-hot rows", "column": "a column of ids", "floats": "floating numbers"}[form]
    return about_labels(
        call,
        f"`{target.shown}` is {target.type}: {what}",
        f"`{op.kind}` needs class ids here",
        rule="WG202",
        name="dense-labels-for-sparse-loss",
        severity="error",
        confidence="proved",
        message=f"`{op.kind}` needs class ids, and `{target.shown}` holds {what}",
        evidence=tuple(evidence(call)),
        help=_help(call, form),
        facts=frozenset({Fact("odd-shape", target.name)}),
    )


def evidence(call: Call) -> Iterator[Evidence]:
    """Shapes, dtypes and the range."""
    wanted = ",".join(map(str, (call.prediction.shape or ())[:1] + (call.prediction.shape or ())[2:]))
    yield Evidence(f"{typed(call.prediction)} against {typed(call.target)}: `{call.op.kind}` reads ids as i64[{wanted}]")
    range_ = bounds(call.target)
    if range_ is not None:
        yield Evidence(f"`{call.target.shown}` lies between {figure(range_[0])} and {figure(range_[1])}", "maximum", range_[1])


def _help(call: Call, form: str) -> str:
    """What to pass, ready to paste."""
    name = call.target.shown
    if form == "rows":
        soft = f", or `{name}.float()` if the rows are probabilities" if call.op.kind == "cross_entropy" else ""
        return f"pass ids: `{name}.argmax(1)`{soft}"
    if form == "column":
        return f"pass `{name}.squeeze(1){'' if call.target.dtype == 'i64' else '.long()'}`"
    lost = " (but look first why they are not whole: a scaling by mistake makes every id 0)" if not_whole(call.target) else ""
    return f"pass `{name}.long()`{lost}"


def not_whole(value: Value) -> bool:
    """Some entry has a fraction, which a cast to integers would drop."""
    figures = known(value)
    return figures is not None and figures.whole is not None and figures.whole < 1.0
