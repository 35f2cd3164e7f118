"""WG218: what should share out one probability does not sum to 1."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.flow.courses import course_of, fails
from whygrad.flow.makers import edited_at
from whygrad.idioms import idiom, names_activations, speaks, speaks_torch
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op
from whygrad.rules import rule
from whygrad.rules.loss.calls import Call, about_labels, about_loss, calls, once_a_fault, relabelled, went_back
from whygrad.rules.phrases import figure, places, typed
from whygrad.rules.remedies import ACTIVATIONS, remedy, setting, unseen

TOLERANCE = 0.01
"""How far the sum of a row may be from 1: half precision over a thousand classes stays below."""
_CATEGORICAL = frozenset(("nll_loss", "kl_div", "categorical_cross_entropy"))


@rule("WG218", "unnormalised-probabilities", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A categorical loss is given independent probabilities, or label rows that do not sum to 1.

    ## What it finds
    `nll_loss` on the logarithm of sigmoids instead of a softmax, Keras' categorical losses on sigmoids; rows of soft labels for `cross_entropy` or `kl_div` whose sum is
    another number than 1, as after smoothing that adds a share to every class and takes none from the true one. Rows of ones and zeros
    that name several classes, each another number of them; a note where the loss falls all the same. Rows of counts, where the loss diverges or stands.

    ## Why it matters
    The negative log-likelihood of independent sigmoids only pushes the true class up: nothing pushes the others down, and the loss goes to
    zero with every class at 1. Keras' losses go back to the scores from before the sigmoid and train well; what the model predicts is not what was trained. Rows that sum to 2 double the loss and its gradient, and put its lowest point at the wrong shares.

    ## When it is fine
    Rows of zeros mark padding. Rows of whole numbers say that several classes hold at once, which some programs train with a softmax on
    purpose: what it predicts for a row of three classes is a third each at best, and no threshold of a half ever finds them. Counts are left alone as long as the loss falls, and so is a target of shares of which some rows sum to 1.

    ## How sure
    Proved: by the op that made the probabilities, or by the smallest and largest sum of a row that the loss was given.

    ## References
    `torch.nn.NLLLoss`, `torch.nn.CrossEntropyLoss` with class probabilities; `label_smoothing=` does the smoothing right.
    """
    sigmoids = [independent(call, op) for call in calls(index) if (op := sigmoid_of(call)) is not None]
    rows = [unequal(call, sums) for call in calls(index) if (sums := odd_rows(call)) is not None]
    several = [at_once(call, sums) for call in calls(index) if (sums := named_at_once(call)) is not None]
    yield from once_a_fault((*sigmoids, *rows, *several))


def sigmoid_of(call: Call) -> Op | None:
    """The sigmoid whose logarithm a categorical loss over several classes is given."""
    step, back = call.step, went_back(call.step, call.op)
    if back is not None and back.kind == "sigmoid" and call.op.kind == "cross_entropy" and (call.classes or 0) > 1:
        return back
    if call.op.kind not in _CATEGORICAL or call.op.kind == "kl_div" or call.op.failed or (call.classes or 0) < 2:  # noqa: PLR2004 - at least two classes compete
        return None
    made = step.producer.get(step.origin(call.prediction.name))
    if made is not None and made[1].kind == "log" and made[1].inputs:
        made = step.producer.get(step.origin(made[1].inputs[0], ("layout", "cast", "arithmetic")))
    return made[1] if made is not None and made[1].kind in ("logsigmoid", "sigmoid") else None


def odd_rows(call: Call) -> tuple[float, float] | None:
    """Smallest and largest sum of a row of soft labels, where none of them is near 1."""
    soft = call.op.kind in ("cross_entropy", "kl_div") and call.target.dtype.startswith(("f", "bf"))
    shape, figures = call.target.shape, call.target.statistics
    if not soft or call.op.failed or shape is None or len(shape) != 2 or shape != call.prediction.shape or figures is None:  # noqa: PLR2004 - the last axis holds the classes in two dimensions alone
        return None
    sums = figures.row_sums
    if sums is None or figures.whole == 1.0 or call.op.attributes.get("log_target") is True or figures.finite != 1.0:
        return None
    return sums if sums[0] > 1 + TOLERANCE or (sums[1] < 1 - TOLERANCE and sums[0] > TOLERANCE) else None


def named_at_once(call: Call) -> tuple[float, float] | None:
    """Smallest and largest count of classes that a row names, where rows differ in it; of counts where the loss does not fall."""
    shape, figures = call.target.shape, call.target.statistics
    categorical = call.op.kind in ("cross_entropy", "categorical_cross_entropy")
    if not categorical or call.op.failed or shape is None or len(shape) != 2 or shape != call.prediction.shape or figures is None:  # noqa: PLR2004 - rows and classes
        return None
    sums, whole = figures.row_sums, figures.whole == 1.0 and figures.minimum == 0.0
    if sums is None or not whole or sums[1] < 2 or call.target.name not in call.step.from_labels:  # noqa: PLR2004 - several
        return None
    # timid: rows of ones and zeros that all name as many classes are a format of their own; counts share nothing out even then
    if figures.maximum == 1.0 and sums[0] == sums[1]:
        return None
    return sums if figures.maximum == 1.0 or fails(call.index, call.step) is not None else None


def at_once(call: Call, sums: tuple[float, float]) -> Diagnosis:
    """What is said of rows that name several classes, or count how often each was named."""
    course, figures = course_of(call.index, call.step), call.target.statistics
    falls = fails(call.index, call.step) is None
    counts = figures is not None and (figures.maximum or 0.0) > 1
    went = f"; over {course.steps} steps the loss went from {figure(course.first)} to {figure(course.last)}" if course is not None else ""
    return about_loss(
        call,
        "shares one probability out among all classes",
        rule="WG218",
        name="unnormalised-probabilities",
        severity="note" if falls else "warning",
        confidence="measured",
        message=f"`{call.called}` shares 1 out among the classes of a row, and rows of `{call.target.shown}` are counts that sum to {_span(sums)}"
        if counts
        else f"`{call.called}` takes one class of a row to be true, and rows of `{call.target.shown}` name {_span(sums)} classes",
        evidence=(
            Evidence(
                f"{typed(call.target)} holds {f'whole numbers that sum to {_span(sums)}' if counts else f'ones and zeros, from {figure(sums[0])} to {figure(sums[1])} ones'} in a row{went}",
                "row_sum",
                sums[1],
            ),
        ),
        help=f"divide each row of `{call.target.shown}` by its sum before the loss" if counts else idiom(call.index, "classes at once"),
        facts=frozenset({Fact("odd-input", call.target.name)}),
        explains=frozenset() if falls else frozenset(_failing(call)),
    )


def _failing(call: Call) -> Iterator[Fact]:
    """What comes of it in TensorFlow, which takes the derivative for rows that sum to 1: others push all scores off without end, whatever the rate."""
    if not speaks(call.index, "tensorflow"):
        return
    kind = str(call.step.step.kind)
    yield from (Fact("diverges", kind), Fact("stands", kind))
    yield from (Fact("non-finite", name) for step in call.index.steps for name in step.values)


def _span(sums: tuple[float, float]) -> str:
    return figure(sums[0]) if sums[0] == sums[1] else f"{figure(sums[0])} to {figure(sums[1])}"


def independent(call: Call, op: Op) -> Diagnosis:
    """What is said of sigmoids."""
    avoided = went_back(call.step, call.op) is op
    seen = (
        "the loss went back to the scores behind it, as Keras does, and shares 1 out among them; what the model predicts does not sum to 1"
    )
    return Diagnosis(
        rule="WG218",
        name="unnormalised-probabilities",
        severity="warning",
        confidence="proved",
        message=f"`{call.called}` compares classes that exclude one another, and `{op.kind}` gives each its own probability",
        site=edited_at(call.step, op),
        label="no class takes anything from another here",
        related=places((call.op.site, f"`{call.called}` reads it here")),
        evidence=(
            Evidence(
                seen
                if avoided
                else f"{typed(call.prediction)} comes from `{op.kind}`: nothing lowers the {(call.classes or 2) - 1} other classes"
            ),
        ),
        help=idiom(call.index, "normalised scores"),
        facts=frozenset({Fact("odd-input", call.prediction.name)}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=(call.prediction.shown,),
        remedy=_normalised(call, op),
    )


def _normalised(call: Call, op: Op) -> Remedy | None:
    """The function over all classes in the place of the one for each of them."""
    site = edited_at(call.step, op)
    idea = "log-softmax" if op.kind == "logsigmoid" else "softmax"
    swapped = (
        Edit("swap", site, spelling(call.index, idea, axis=1 if speaks_torch(call.index) else -1), ACTIVATIONS[op.kind]) if site else None
    )
    named = (
        setting(site, "activation", '"softmax"')
        if op.kind == "sigmoid" and not speaks_torch(call.index) and names_activations(call.index)
        else None
    )
    return remedy(f"use `{'log_softmax' if op.kind == 'logsigmoid' else 'softmax'}` over the classes", swapped, otherwise=(named,))


def unequal(call: Call, sums: tuple[float, float]) -> Diagnosis:
    """What is said of rows of labels."""
    total = figure(sums[0]) if sums[0] == sums[1] else f"{figure(sums[0])} to {figure(sums[1])}"
    return about_labels(
        call,
        f"rows sum to {total}",
        f"`{call.called}` takes them for probabilities here",
        rule="WG218",
        name="unnormalised-probabilities",
        severity="warning",
        confidence="proved",
        message=f"the rows of `{call.target.shown}` sum to {total}, and `{call.called}` takes them for probabilities",
        evidence=(
            Evidence(f"{typed(call.target)}: the sum of a row goes from {figure(sums[0])} to {figure(sums[1])}", "row_sum", sums[1]),
        ),
        help=idiom(call.index, "divide rows"),
        remedy=_divided(call),
        facts=frozenset({Fact("odd-input", call.target.name)}),
    )


def _divided(call: Call) -> Remedy | None:
    """Rows that sum to 1; where all sum to the same, the loss has its minimum in the same place."""
    made = relabelled(call, "divide each row by its sum", spelling(call.index, "shares", data=True))
    return unseen(made)
