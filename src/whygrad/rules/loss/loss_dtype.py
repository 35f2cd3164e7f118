"""WG210: a dtype that the loss refuses, or arithmetic in one that is too narrow."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import making_site
from whygrad.flow.origins import typed_at
from whygrad.idioms import idiom, speaks_torch
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Value, family
from whygrad.rules import rule
from whygrad.rules.loss.calls import BY_IDS, INTEGERS, Call, about_labels, bounds, calls, once_a_fault, relabelled
from whygrad.rules.loss.exceptions import message_of, raised_by
from whygrad.rules.phrases import figure, places, typed
from whygrad.rules.remedies import remedy

_ABOUT_DTYPE = (
    "dtype",
    "result type",
    "scalar type",
    "data type",
    "to have the same type",
    "was expected to be a",
    "that does not match type",
)
_NARROW = frozenset(("u8", "i8", "i16"))


@rule("WG210", "loss-dtype", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The loss is given a dtype that it refuses, or values that wrapped around in a dtype too narrow for them.

    ## What it finds
    A loss, or its backward, that raised because prediction and target are of different dtypes: integer targets for a binary cross-entropy
    or a squared error, NumPy's float64 against a model in float32, ids that are not 64-bit integers. It also finds labels that are text, and images or counts of 8 or
    16 bits that are subtracted or added before they are converted, so that 10 - 20 becomes 246.

    ## Why it matters
    The exception comes from the loss or, for some losses, only from the backward, and does not say where the labels were made. Integers
    that wrap raise nothing at all: some of the labels are wrong, and the network learns them.

    ## When it is fine
    `mse_loss` takes float64 targets with float32 predictions and learns: where nothing raised, nothing is said about floating dtypes.
    Differences of integers that stay within the range of their dtype are left alone.

    ## How sure
    Proved: by the dtypes at the call that raised, or by a difference of unsigned integers that is larger than what it was taken from.

    ## References
    PyTorch: "result type Float can't be cast to the desired output type Long", "Found dtype Double but expected Float", "expected scalar
    type Long but found Int". `whygrad explain WG707` for the model's inputs, `WG202` for ids in a floating dtype.
    """
    refused = [diagnosis(call) for call in calls(index) if is_refused(index, call)]
    wrapped = [wrapping(index, step, op) for step in index.steps for op in step.of("sub", "add") if wraps(step, op)]
    yield from once_a_fault((*refused, *wrapped, *(of_text(index, step, op, name) for step, op, name in text_labels(index))))


def is_refused(index: Index, call: Call) -> bool:
    """The loss or its backward raised about a dtype, and the target's is not the one that is due."""
    backward = any(event.attributes.get("failed") for event in call.step.events("backward"))
    said = message_of(index, call.step)
    if not (call.op.failed or backward) or not any(word in said for word in _ABOUT_DTYPE):
        return False
    if call.op.kind in BY_IDS:
        # only PyTorch wants one kind of integer
        return (
            speaks_torch(index)
            and call.target.dtype in INTEGERS
            and call.target.dtype != "i64"
            and call.target.shape != call.prediction.shape
        )
    return call.contract.targets[0] != "ids" and bool(call.target.dtype) and call.target.dtype != call.prediction.dtype


def text_labels(index: Index) -> Iterator[tuple[StepIndex, Op, str]]:
    """Labels that are text, with what refused them: a loss, or the training loop that was given them."""
    for step in index.steps:
        for op in step.failed:
            handed = op.native == "keras.Model.fit" or family(op.kind) == "loss"
            for name in op.inputs if handed else ():
                if step.value(name).dtype in ("string", "object") and (family(op.kind) == "loss" or name in step.step.labels.values):
                    yield step, op, name


def of_text(index: Index, step: StepIndex, op: Op, name: str) -> Diagnosis:
    """What is said of labels that are text."""
    value = step.value(name)
    made = making_site(index, step, name)
    handed = next((event.site for event in step.events("batch") if event.site), op.site)
    what = "text" if value.dtype == "string" else "Python objects"
    return Diagnosis(
        "WG210",
        "loss-dtype",
        "error",
        "proved",
        f"a loss compares numbers, and `{value.shown}` holds {what}",
        site=made or handed,
        label=f"makes labels of {what}" if made else f"is given labels of {what}",
        related=places((handed if made else None, "handed over here")),
        evidence=(Evidence(f"`{value.shown}` is {value.type}: {'the loss' if family(op.kind) == 'loss' else '`fit`'} raised"),),
        help=f"number the classes: `np.unique({value.written}, return_inverse=True)[1]`, or `keras.layers.StringLookup(num_oov_indices=0)` in a data set",
        facts=frozenset({Fact("odd-input", name)}),
        explains=raised_by(index, step, op),
        kind=step.step.kind,
        step=step.step.index,
        names=(value.shown,),
        remedy=_numbered(value, op),
    )


def _numbered(value: Value, op: Op) -> Remedy | None:
    """Numbers in the place of text, where the labels are handed over to `fit`."""
    if op.native != "keras.Model.fit" or op.site is None or value.dtype != "string":
        return None
    text = "numpy.unique({x}, return_inverse=True)[1]"
    edit = Edit("wrap", op.site, text, keyword="y", position=1, written=value.called)
    return remedy("number the classes", edit, changes="the classes are numbered in alphabetical order")


def wraps(step: StepIndex, op: Op) -> bool:
    """A difference or sum of short unsigned integers that can't be right, and that the step's data were made from."""
    if len(op.inputs) != 2 or not op.outputs:  # noqa: PLR2004 - two operands
        return False
    one, other, made = step.value(op.inputs[0]), step.value(op.inputs[1]), step.value(op.output)
    ranges = bounds(one), bounds(other), bounds(made)
    if {one.dtype, other.dtype, made.dtype} - _NARROW or None in ranges or op.output not in step.shapes_loss:
        return False
    first, second, result = ranges
    assert first
    assert second
    assert result
    if op.kind == "sub":
        return result[1] > first[1] - min(second[0], 0) or result[0] < first[0] - max(second[1], 0)
    return result[1] < max(first[1] + second[0], first[0] + second[1])


def diagnosis(call: Call) -> Diagnosis:
    """What is said of a dtype that was refused."""
    target, whole = call.target, "i64" if speaks_torch(call.index) else "i32"
    due = whole if call.op.kind in BY_IDS else call.prediction.dtype
    cast = _CASTS.get(due, f".to({call.prediction.shown}.dtype)")
    written = idiom(call.index, "as dtype", name=target.written, torch=cast, dtype=_NAMES.get(due, due))
    return about_labels(
        call,
        f"`{target.shown}` is {target.dtype}",
        f"`{call.called}` needs {due} here",
        made=typed_at(call.index, target.name),
        rule="WG210",
        name="loss-dtype",
        severity="error",
        confidence="proved",
        message=f"`{call.called}` needs its target as {due}, and `{target.shown}` is {target.dtype}",
        evidence=(
            Evidence(f"{typed(call.prediction)} against {typed(target)}: {'the loss' if call.op.failed else 'the backward'} raised"),
        ),
        help=f"pass {written}, or convert where the labels are made",
        facts=frozenset({Fact("odd-input", target.name)}),
        explains=_raised(call),
        remedy=_remedy(call, due),
    )


def _raised(call: Call) -> frozenset[Fact]:
    ended = call.index.record.outcome.exception
    return frozenset({Fact("exception", ended.type)}) if ended else frozenset()


def wrapping(index: Index, step: StepIndex, op: Op) -> Diagnosis:
    """What is said of a difference that wrapped around."""
    one, made = step.value(op.inputs[0]), step.value(op.output)
    sign, low, high = ("-", *(bounds(made) or (0.0, 0.0))) if op.kind == "sub" else ("+", *(bounds(made) or (0.0, 0.0)))
    loss = next(step.loss_ops(), None)
    return Diagnosis(
        rule="WG210",
        name="loss-dtype",
        severity="error",
        confidence="proved",
        message=f"`{_expression(step, op, sign)}` wraps around in {made.dtype}",
        site=op.site or making_site(index, step, op.output),
        label=f"{made.dtype} can't hold this {'difference' if op.kind == 'sub' else 'sum'}",
        related=places((loss.site if loss else None, "the loss is computed from it here")),
        evidence=(
            Evidence(
                f"`{one.shown}` lies between {_bounds(one)}, and the result between {figure(low)} and {figure(high)}", "maximum", high
            ),
        ),
        help=f"convert first: {_converted(index, step, op, sign)}",
        facts=frozenset({Fact("odd-input", op.output)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(one.shown, step.value(op.inputs[1]).shown),
        remedy=_widened(index, op),
    )


def _widened(index: Index, op: Op) -> Remedy | None:
    """Both operands of the difference as floating numbers."""
    if op.site is None:
        return None
    text = spelling(index, "floating")
    return remedy(
        "convert both to floating numbers first", Edit("wrap", op.site, text, position=0), Edit("wrap", op.site, text, position=1)
    )


def _expression(step: StepIndex, op: Op, sign: str) -> str:
    return f" {sign} ".join(step.value(name).shown for name in op.inputs)


def _bounds(value: Value) -> str:
    low, high = bounds(value) or (0.0, 0.0)
    return f"{figure(low)} and {figure(high)}"


_CASTS = {"i64": ".long()", "f32": ".float()", "f64": ".double()", "f16": ".half()", "bf16": ".bfloat16()"}
_NAMES = {"i64": "int64", "i32": "int32", "f32": "float32", "f64": "float64", "f16": "float16", "bf16": "bfloat16"}
"""Types as casts and as names in code."""


def _converted(index: Index, step: StepIndex, op: Op, sign: str) -> str:
    """Both operands as floating numbers."""
    return f" {sign} ".join(idiom(index, "floats", name=step.value(name).written) for name in op.inputs[:2]).replace(
        f"` {sign} `", f" {sign} "
    )


def _remedy(call: Call, due: str) -> Remedy | None:
    """The target as the loss needs it."""
    idea = {"i64": "whole", "i32": "whole", "f32": "floating"}.get(due)
    text = spelling(call.index, idea, data=True) if idea else f"{{x}}{_CASTS[due]}" if due in _CASTS and speaks_torch(call.index) else ""
    return relabelled(call, f"pass the target as {due}", text) if text else None
