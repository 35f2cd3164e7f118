"""WG207: a binary cross-entropy on a softmax over classes that exclude one another."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.idioms import idiom, speaks_torch
from whygrad.ir import Op
from whygrad.rules import rule
from whygrad.rules.loss.calls import Call, about_loss, calls, once_a_fault, went_back
from whygrad.rules.phrases import places, typed
from whygrad.rules.remedies import other_loss, remedy, unwrapped

_ENOUGH = 3
"""Classes from which the two losses differ: with two, the binary one is twice the other, entry by entry."""


@rule("WG207", "binary-loss-for-classes", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A binary cross-entropy compares a softmax over several classes with one-hot rows.

    ## What it finds
    `binary_cross_entropy` whose input is a softmax over three or more classes and whose target has exactly one 1 in each row.

    ## Why it matters
    The loss takes each class for a yes-or-no question of its own, and averages over all of them: with a hundred classes the ninety-nine
    zeros weigh as much as they can, the one that matters a hundredth, and accuracy figures that compare entry by entry look near perfect.

    ## When it is fine
    Several classes that may hold at once need sigmoids and this very loss. With two classes the result is twice the categorical loss and
    harmless: nothing is said. One column picked from a softmax over two classes is a proper probability.

    ## How sure
    Proved by the recorded graph and the sums of the target's rows. Such networks usually learn, only slower, so this is a warning.

    ## References
    `torch.nn.BCELoss`, `torch.nn.CrossEntropyLoss`; in Keras `binary_crossentropy` against `categorical_crossentropy`.
    """
    yield from once_a_fault(diagnosis(call, op) for call in calls(index) if (op := softmax_of(call)) is not None)


def softmax_of(call: Call) -> Op | None:
    """The softmax over three or more classes whose rows are compared with one-hot rows."""
    shape, figures = call.prediction.shape or (), call.target.statistics
    if call.op.kind not in ("binary_cross_entropy", "bce_with_logits") or len(shape) != 2 or shape[1] < _ENOUGH or figures is None:  # noqa: PLR2004 - rows and classes
        return None
    if figures.row_sums != (1.0, 1.0) or figures.whole != 1.0 or (figures.minimum, figures.maximum) != (0.0, 1.0):
        return None
    made = call.step.producer.get(call.step.origin(call.prediction.name, ("cast",)))
    op = went_back(call.step, call.op) or (made[1] if made is not None and call.op.kind == "binary_cross_entropy" else None)
    return op if op is not None and op.kind == "softmax" and op.attributes.get("axis") in (1, -1) else None


def diagnosis(call: Call, op: Op) -> Diagnosis:
    """What is said, at the loss."""
    classes = (call.prediction.shape or (0, 0))[1]
    return about_loss(
        call,
        f"{classes} yes-or-no questions instead of one choice",
        rule="WG207",
        name="binary-loss-for-classes",
        severity="warning",
        confidence="proved",
        message=f"`{call.called}` judges each of {classes} classes by itself, though a softmax lets one of them win",
        related=places((op.site, "the softmax is applied here")),
        evidence=(
            Evidence(f"{typed(call.step.value(op.output))} comes from `softmax`; every row of `{call.target.shown}` has one 1 and zeros"),
        ),
        help=idiom(call.index, "scores of choice", target=call.target.written),
        facts=frozenset({Fact("odd-input", call.prediction.name)}),
        remedy=_remedy(call, op),
    )


def _remedy(call: Call, op: Op) -> Remedy | None:
    """A cross-entropy over the classes: PyTorch's on the scores, Keras' on the probabilities."""
    instead = other_loss(call.index, call.op, "cross-entropy by rows")
    scores = [unwrapped(call.index, call.step, op)] if speaks_torch(call.index) else []
    return remedy(
        "use the cross-entropy over classes",
        instead,
        *scores,
        changes="the loss becomes a cross-entropy over classes that exclude one another",
    )
