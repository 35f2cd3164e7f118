"""Rows of targets that a softmax can't give: it shares 1 out among the classes, and the rows sum to something else."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.flow.makers import edited_at
from whygrad.idioms import idiom, names_activations, speaks_torch
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op
from whygrad.loss_contracts import REGRESSIONS
from whygrad.rules.loss.calls import Call, calls, known, went_back
from whygrad.rules.phrases import figure, places, typed
from whygrad.rules.remedies import ACTIVATIONS, remedy, setting

MARGIN = 0.25
"""By how much the sums of the rows must leave 1: shares with noise on them stay below."""
_BINARY = ("binary_cross_entropy", "bce_with_logits")


def shared_rows(index: Index) -> Iterator[Diagnosis]:
    """Comparisons of a softmax over several classes with rows that it can't reach."""
    for call in calls(index):
        made = softmax_of(call)
        sums = row_sums(call) if made is not None else None
        if made is not None and sums is not None and (sums[0] > 1 + MARGIN or sums[1] < 1 - MARGIN or sums[1] > 1 + MARGIN):
            yield diagnosis(call, made, sums)


def softmax_of(call: Call) -> Op | None:
    """The softmax over all classes of a row that a loss compares entry by entry."""
    step, shape = call.step, call.prediction.shape or ()
    if (call.op.kind not in REGRESSIONS and call.op.kind not in _BINARY) or call.op.failed or len(shape) != 2 or shape[1] < 2:  # noqa: PLR2004 - rows of classes
        return None
    made = step.producer.get(step.origin(call.prediction.name, ("cast",)))
    op = went_back(step, call.op) or (made[1] if made is not None else None)
    over_classes = op is not None and op.kind == "softmax" and op.attributes.get("axis") in (1, -1)
    return op if over_classes and call.prediction.name in step.depends_on_parameters else None


def row_sums(call: Call) -> tuple[float, float] | None:
    """Smallest and largest sum of a row of the target, where all its entries are within the reach of a softmax."""
    figures, target = known(call.target), call.target
    if figures is None or figures.row_sums is None or target.shape != call.prediction.shape or len(call.op.inputs) != 2:  # noqa: PLR2004 - weights leave rows out
        return None
    # timid: what lies beyond 0 to 1 is told by its range, and rows of zeros may stand for padding
    within = figures.minimum is not None and figures.minimum >= 0 and figures.maximum is not None and 0 < figures.maximum <= 1
    return figures.row_sums if within and target.name in call.step.from_labels - call.step.depends_on_parameters else None


def diagnosis(call: Call, op: Op, sums: tuple[float, float]) -> Diagnosis:
    """What is said, at the softmax."""
    target, figures = call.target, known(call.target)
    marks = figures is not None and figures.whole == 1.0
    total = figure(sums[0]) if sums[0] == sums[1] else f"{figure(sums[0])} to {figure(sums[1])}"
    return Diagnosis(
        rule="WG216",
        name="unreachable-target",
        severity="warning",
        confidence="proved",
        message=f"rows of `{target.shown}` {'name' if marks else 'sum to'} {total}{' classes' if marks else ''}, and `softmax` shares 1 out among all classes",
        site=edited_at(call.step, op),
        label="one class takes from the others here",
        related=places((call.op.site, f"`{target.shown}` is compared with it here")),
        evidence=(Evidence(f"{typed(target)}: the sum of a row goes from {figure(sums[0])} to {figure(sums[1])}", "row_sum", sums[1]),),
        help=idiom(call.index, "classes at once")
        if marks
        else f"leave out the `softmax`, or divide each row of `{target.shown}` by its sum",
        facts=frozenset({Fact("odd-input", call.prediction.name)}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=(call.prediction.shown, target.shown),
        remedy=_each_by_itself(call, op) if marks else None,
    )


def _each_by_itself(call: Call, op: Op) -> Remedy | None:
    """A sigmoid for each class in the place of the softmax over all of them."""
    site = edited_at(call.step, op)
    swapped = Edit("swap", site, spelling(call.index, "sigmoid"), ACTIVATIONS["softmax"]) if site else None
    named = setting(site, "activation", '"sigmoid"') if not speaks_torch(call.index) and names_activations(call.index) else None
    return remedy("give each class a probability of its own", swapped, otherwise=(named,), changes="the model's outputs no longer sum to 1")
