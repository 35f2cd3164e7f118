"""The part of WG202 that tells of marks which were made so small that a binary loss takes all of them for 0."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.rules.loss.calls import Call, about_labels, calls, known
from whygrad.rules.loss.ids import seen
from whygrad.rules.phrases import figure, percent

_BINARY = ("binary_cross_entropy", "bce_with_logits")
HALF = 0.5
"""What tells the two classes apart."""
BYTE = 255
"""What a picture's entries are divided by, once."""
TOLERANCE = 1e-3
"""Share by which a quotient of small numbers may be off."""


def faint(index: Index) -> Iterator[Diagnosis]:
    """Binary targets of two values, 0 and one far below a half, in all that was seen of them."""
    for call in calls(index):
        mark = mark_of(call)
        if mark is not None:
            yield _diagnosis(call, mark)


def mark_of(call: Call) -> float | None:
    """The larger of two values; None where there are others, or where it is one that a label may be."""
    if call.op.kind not in _BINARY or call.op.failed or call.target.name in call.step.depends_on_parameters:
        return None
    values = [call.target, call.step.value(call.step.origin(call.target.name, ("layout", "cast")))]
    figures = [found for value in values if (found := known(value)) is not None]
    highest = figures[0].maximum if figures else None
    if highest is None or not 0 < highest < HALF or figures[0].minimum != 0 or not any(found.distinct == 2 for found in figures):  # noqa: PLR2004 - 0 and the mark
        return None
    return highest if (seen(call)[1] or highest) <= highest * (1 + TOLERANCE) else None


def _diagnosis(call: Call, mark: float) -> Diagnosis:
    name, twice = call.target.shown, abs(mark * BYTE - 1) <= TOLERANCE
    figures = known(call.target)
    zeros = figures.zeros if figures is not None else None
    why = (
        f"which is 1 / {BYTE}: they were divided by {BYTE} once more after they had been 0 and 1"
        if twice
        else "and nothing in between or above"
    )
    return about_labels(
        call,
        f"the larger of the two values is {figure(mark)}",
        f"`{call.called}` takes 1 for the one class and 0 for the other",
        rule="WG202",
        name="dense-labels-for-sparse-loss",
        severity="error" if twice else "warning",
        confidence="proved",
        message=f"`{name}` are 0 or {figure(mark)} and never 1: `{call.called}` is taught that every entry is almost surely 0",
        evidence=(
            Evidence(f"two values, 0 and {figure(mark)}, {why}", "maximum", mark),
            *((Evidence(f"{percent(zeros, 1)} of the entries are 0, the rest are marks", "zeros", zeros),) if zeros is not None else ()),
        ),
        help="scale the marks once, so that they are 0 and 1: leave out one of the two divisions, or compare with 0 where they are read",
        facts=frozenset({Fact("odd-input", call.target.name)}),
    )
