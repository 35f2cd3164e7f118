"""WG219: a term of the loss that is summed over the whole batch, beside one that is averaged over all entries, and many times larger."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op
from whygrad.rules.phrases import figure, finite, places, plural, typed

TIMES = 10.0
"""How many times larger than the mean the sum must be in every recorded step, as for a penalty on parameters."""
_SCALED = ("mul", "neg", "div")


@dataclass(frozen=True, slots=True)
class Pair:
    """Both terms, by the ops that reduce them, with what they add to the loss."""

    step: StepIndex
    op: Op
    mean: Op
    sum: Op
    sizes: tuple[float, float]


def summed(index: Index) -> Iterator[Diagnosis]:
    """One diagnosis for a kind of step all of whose recorded steps show it."""
    for steps in index.kinds.values():
        found = [next(pairs(step), None) for step in steps if step.losses]
        known = [pair for pair in found if pair is not None]
        if known and len(known) == len(found):
            yield about(known)


def pairs(step: StepIndex) -> Iterator[Pair]:
    """Additions on the way to the loss of a mean over all entries and a far larger sum over all entries that no label enters."""
    for op in step.of("add"):
        if len(op.inputs) != 2 or step.shapes_loss.isdisjoint(op.outputs):  # noqa: PLR2004 - two terms
            continue
        for one, other in (op.inputs, op.inputs[::-1]):
            mean, total = reduced(step, one), reduced(step, other)
            if mean is None or total is None or (mean.kind, total.kind) != ("mean", "sum") or other in step.from_labels:
                continue
            sizes = (_size(step, one), _size(step, other))
            # timid: a term of the parameters alone is a penalty, which the labels have to judge
            if step.from_data.isdisjoint((other,)) or not (one in step.gets_gradient and other in step.gets_gradient):
                continue
            if sizes[1] > TIMES * sizes[0] > 0:
                yield Pair(step, op, mean, total, sizes)


def reduced(step: StepIndex, name: str) -> Op | None:
    """The op that made one number of all entries of a batch, below factors that are constants."""
    while name in step.producer:
        op = step.producer[name][1]
        if op.kind in ("mean", "sum"):
            shape = step.value(op.inputs[0]).shape if op.inputs else None
            return op if shape is not None and len(shape) > 1 and prod(shape) > 1 and step.value(op.output).shape == () else None
        if op.kind not in _SCALED or not op.inputs:
            return None
        moving = [item for item in op.inputs if item in step.depends_on_parameters]
        if len(moving) != 1:
            return None
        name = moving[0]
    return None


def _size(step: StepIndex, name: str) -> float:
    figures = step.value(name).statistics
    return abs(figures.mean) if figures is not None and figures.mean is not None and finite(figures.mean) else 0.0


def about(found: list[Pair]) -> Diagnosis:
    """What is said, at the sum."""
    first = found[0]
    step, (mean, total) = first.step, first.sizes
    averaged, added = step.value(first.mean.inputs[0]), step.value(first.sum.inputs[0])
    rows = (added.shape or (1,))[0]
    ratios = " and ".join(figure(pair.sizes[1] / pair.sizes[0]) for pair in found)
    return Diagnosis(
        rule="WG219",
        name="penalty-dominates",
        severity="warning",
        confidence="measured",
        message=f"a term that is summed over the batch is {total / mean:,.0f} times the one that is averaged, and drowns it",
        site=first.sum.site,
        label=f"adds up {prod(added.shape or (1,)):,} entries: {figure(total)}",
        related=places(
            (first.mean.site, f"the mean of {prod(averaged.shape or (1,)):,} entries: {figure(mean)}"),
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
    )
