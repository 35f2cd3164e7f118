"""WG219: a term of the loss that is summed over the whole batch, beside one that is averaged over all entries, and many times larger."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import ENOUGH, course_of, still_falls
from whygrad.ir import Op
from whygrad.loss_contracts import contract_of, input_of
from whygrad.rules.phrases import figure, finite, places, plural, typed
from whygrad.rules.remedies import remedy

TIMES = 10.0
"""How many times larger than the mean the sum must be in every recorded step, as for a penalty on parameters."""
LEAST = 3.0
"""The same in the steps behind the first, whose update has made the sum smaller, where the run shows that nothing else came of it: measured 13, 6 in a collapsed autoencoder."""
STAYS = 0.75
"""Share of what the mean was in the recorded steps that the whole loss still is at the end: of variational autoencoders that learn, the error alone falls to a half and less."""
_SCALED = ("mul", "neg", "div")


@dataclass(frozen=True, slots=True)
class Pair:
    """Both terms, by the ops that reduce them, with what they add to the loss."""

    step: StepIndex
    op: Op
    mean: Op
    sum: Op
    sizes: tuple[float, float]

    @property
    def ratio(self) -> float:
        """How many times larger the sum is."""
        return self.sizes[1] / self.sizes[0]


def summed(index: Index) -> Iterator[Diagnosis]:
    """One diagnosis for a kind of step all of whose recorded steps show it."""
    for steps in index.kinds.values():
        found = [next(pairs(step), None) for step in steps if step.losses]
        known = [pair for pair in found if pair is not None]
        if (
            known
            and len(known) == len(found)
            and (drowned(index, known) or all(pair.mean.kind == "mean" and pair.ratio > TIMES for pair in known))
        ):
            yield about(known)


def drowned(index: Index, found: list[Pair]) -> bool:
    """The sum was far larger to begin with, and when the run ends all of the loss is hardly less than the mean was: that one has hardly been learned."""
    course = course_of(index, found[0].step)
    if course is None or course.last is None or course.non_finite is not None or course.steps < ENOUGH or still_falls(course):
        return False
    return found[0].ratio > TIMES and course.last >= STAYS * min(pair.sizes[0] for pair in found)


def pairs(step: StepIndex) -> Iterator[Pair]:
    """Additions on the way to the loss of a mean over all entries and a far larger sum over all entries that no label enters."""
    for op in step.of("add"):
        if len(op.inputs) != 2 or step.shapes_loss.isdisjoint(op.outputs):  # noqa: PLR2004 - two terms
            continue
        for one, other in (op.inputs, op.inputs[::-1]):
            mean, total = reduced(step, one), reduced(step, other)
            if mean is None or total is None or mean.kind == "sum" or total.kind != "sum" or other in step.from_labels:
                continue
            sizes = (_size(step, one), _size(step, other))
            # timid: a term of the parameters alone is a penalty, which the labels have to judge
            if step.from_data.isdisjoint((other,)) or not (one in step.gets_gradient and other in step.gets_gradient):
                continue
            if sizes[1] > LEAST * sizes[0] > 0:
                yield Pair(step, op, mean, total, sizes)


def reduced(step: StepIndex, name: str) -> Op | None:
    """The op that made one number of all entries of a batch, below factors that are constants: a sum, a mean, or a loss that takes one."""
    while name in step.producer:
        op = step.producer[name][1]
        contract = contract_of(op)
        averages = contract is not None and contract.elementwise and op.attributes.get("reduction") == "mean"
        if averages or op.kind in ("mean", "sum"):
            shape = step.value(entries(op)).shape
            return op if shape is not None and len(shape) > 1 and prod(shape) > 1 and step.value(op.output).shape == () else None
        if op.kind not in _SCALED or not op.inputs:
            return None
        moving = [item for item in op.inputs if item in step.depends_on_parameters]
        if len(moving) != 1:
            return None
        name = moving[0]
    return None


def entries(op: Op) -> str:
    """What is reduced, or has as many entries."""
    return input_of(op) or op.inputs[0]


def _size(step: StepIndex, name: str) -> float:
    figures = step.value(name).statistics
    return abs(figures.mean) if figures is not None and figures.mean is not None and finite(figures.mean) else 0.0


def about(found: list[Pair]) -> Diagnosis:
    """What is said, at the sum."""
    first = found[0]
    step, (mean, total) = first.step, first.sizes
    averaged, added = step.value(entries(first.mean)), step.value(first.sum.inputs[0])
    rows, many = (added.shape or (1,))[0], prod(averaged.shape or (1,))
    ratios = " and ".join(figure(pair.ratio) for pair in found)
    alike = Edit("wrap", first.sum.site, f"{{x}} / {many}", ("sum", "reduce_sum")) if first.sum.site is not None else None
    return Diagnosis(
        rule="WG219",
        name="penalty-dominates",
        severity="warning",
        confidence="measured",
        message=f"a term that is summed over the batch is {total / mean:,.0f} times the one that is averaged, and drowns it",
        site=first.sum.site,
        label=f"adds up {prod(added.shape or (1,)):,} entries: {figure(total)}",
        related=places(
            (first.mean.site, f"the mean of {many:,} entries: {figure(mean)}"),
            (first.op.site, "both are added here"),
        ),
        evidence=(
            Evidence(f"the sum over {typed(added)} grows with the batch, the mean over {typed(averaged)} does not", "rows", rows),
            Evidence(f"the sum is {ratios} times the mean in {plural(len(found), 'recorded step')}", "ratio", total / mean),
        ),
        help="reduce both terms alike: sum each over the entries of an example and take the mean over the batch",
        facts=frozenset({Fact("odd-input", first.op.output)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(step.value(first.op.output).shown,),
        remedy=remedy("reduce both terms alike", alike, changes=f"with the sum divided by {many:,} both terms have the weights that sums of both would have"),
    )  # fmt: skip
