"""The part of WG108 about masks that keep the targets between two bounds, which are in other units than the targets."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import making_site
from whygrad.ir import Op, Value
from whygrad.rules.labels.evidence import insensitive
from whygrad.rules.phrases import figure, percent, places, typed

HALF = 0.5
"""Share of the targets that are not zero from which a range is taken as it stands: bounds against outliers leave out a few per cent.
None of 161 programs of the corpus, healthy or not, masks its targets between two numbers: these two thresholds rest on their reasons."""
TIMES = 10.0
"""How far the end of the range lies from the largest target: units that are mixed up differ by powers of ten, by 255, or by the largest value meant."""
JOINS = frozenset(("mul", "index", "where"))
_SAME = ("layout", "cast")


@dataclass(frozen=True, slots=True)
class OffRange:
    """A mask of targets within bounds, where it meets what the parameters made."""

    step: StepIndex
    join: Op
    mask: Value
    target: Value
    low: float
    high: float
    kept: float
    """Share of all entries."""


def off_range(index: Index) -> Iterator[Diagnosis]:
    """One for each kind of step whose every recorded step with a loss has such a mask."""
    for steps in index.kinds.values():
        # timid: where no label is felt because nothing is kept, WG105 says why
        found = [next(_of_step(step), None) for step in steps if step.losses and not (insensitive(step.step.measures) and _empty(step))]
        if found and None not in found:
            yield from (_diagnosis(index, one) for one in found[:1] if one)


def _empty(step: StepIndex) -> bool:
    loss = step.step.measures.loss
    return loss is None or loss == 0


def _of_step(step: StepIndex) -> Iterator[OffRange]:
    labels = step.from_labels - step.depends_on_parameters
    for op in step.graph.ops:
        if op.kind not in JOINS or step.shapes_loss.isdisjoint(op.outputs) or step.depends_on_parameters.isdisjoint(op.inputs):
            continue
        for name in op.inputs:
            bounds = _bounds(step, name) if name in labels else None
            if bounds is not None and _beside(step, name, bounds[0]):
                yield from _judged(step, op, name, *bounds)


def _bounds(step: StepIndex, mask: str) -> tuple[str, float, float] | None:
    """The one value that a mask compares with plain numbers on both sides, and these."""
    low, high, read = None, None, dict[str, str]()
    waiting = [mask]
    while waiting:
        made = step.producer.get(step.origin(waiting.pop(), _SAME))
        op = made[1] if made else None
        by = op.attributes.get("by") if op else None
        if op is None or op.kind not in ("compare", "mul"):
            return None
        if not isinstance(by, float):
            waiting += op.inputs
        elif op.native.rsplit(".", 1)[-1] in ("gt", "ge", "greater", "greater_equal"):
            low, read = by, read | {step.origin(op.inputs[0], _SAME): op.inputs[0]}
        elif op.native.rsplit(".", 1)[-1] in ("lt", "le", "less", "less_equal"):
            high, read = by, read | {step.origin(op.inputs[0], _SAME): op.inputs[0]}
        else:
            return None
    return None if low is None or high is None or len(read) != 1 else (next(iter(read.values())), low, high)


def _beside(step: StepIndex, mask: str, target: str) -> bool:
    """No way leads from the target to the loss but by what the mask is joined with: what it leaves out counts nowhere else."""
    masks = {name for name in step.downstream((target,)) if step.origin(name, _SAME) == step.origin(mask, _SAME)}
    reached = {target}
    for op in step.graph.ops:
        if op.kind != "compare" and masks.isdisjoint(op.inputs) and not reached.isdisjoint(op.inputs):
            reached.update(op.outputs)
    return reached.isdisjoint(step.losses)


def _judged(step: StepIndex, op: Op, name: str, target: str, low: float, high: float) -> Iterator[OffRange]:
    """The range fits no target but a few: its upper end lies far from the largest one, and less than half of those that are not zero are kept."""
    mask, value = step.value(name), step.value(target)
    figures, of_mask = value.statistics, mask.statistics
    if figures is None or of_mask is None or of_mask.zeros is None or figures.zeros is None or figures.maximum is None:
        return
    # timid: of targets on both sides of zero a band may be meant, and whole numbers may be classes
    if figures.minimum is None or figures.minimum < 0 <= low or not 0 < figures.maximum < inf or low < 0 or figures.whole == 1.0:
        return
    kept, apart = 1 - of_mask.zeros, high / figures.maximum
    if 0 < kept < HALF * (1 - figures.zeros) and (apart >= TIMES or apart <= 1 / TIMES):
        yield OffRange(step, op, mask, value, low, high, kept)


def _diagnosis(index: Index, found: OffRange) -> Diagnosis:
    step, mask, target, figures = found.step, found.mask, found.target, found.target.statistics
    made, scaled = making_site(index, step, mask.name), making_site(index, step, target.name)
    largest = figures.maximum if figures is not None and figures.maximum is not None else 0.0
    there = 1 - (figures.zeros or 0.0) if figures is not None else 1.0
    span = f"{figure(found.low)} to {figure(found.high)}"
    return Diagnosis(
        rule="WG108",
        name="few-labels-used",
        severity="warning",
        confidence="suspected",
        message=f"`{mask.shown}` keeps {percent(found.kept / there)} of the targets that are not zero: it asks for {span}, and `{target.shown}` goes up to {figure(largest)}",
        site=made or found.join.site,
        label="these bounds seem to be in other units than the targets",
        related=places((scaled if scaled != made else None, f"`{target.shown}` gets its scale here"), (found.join.site if made else None, "the loss is masked here")),
        evidence=(
            Evidence(f"{typed(target)} goes from 0 to {figure(largest)}, and {percent(there)} of it is not zero; {percent(found.kept, 1)} lies from {span}", "kept", found.kept),
            Evidence("what the mask leaves out reaches the loss by no other way"),
        ),
        help=f"give the bounds in the units of `{target.shown}` (its largest value is {figure(largest)}), or make the mask before the targets are scaled",
        facts=frozenset({Fact("odd-input", mask.name)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(mask.shown, target.shown),
    )  # fmt: skip
