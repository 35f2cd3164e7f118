"""Units that were alive when the run began and that large updates have killed: the line to edit is the rate's."""

from dataclasses import dataclass

from whygrad.diagnosis import Evidence, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import expected_ratios, optimizer_of
from whygrad.flow.origins import rate_set_at
from whygrad.ir import Op, Optimizer, Site
from whygrad.rules.phrases import figure, percent
from whygrad.rules.remedies_of_settings import rated

ALIVE = 0.5
"""Largest share of zero units that a layer began with: of 116 layers of 154 sound programs, the one with most has 0.33 at its first step."""
FAR = 0.1
"""Share of its norm that an update moves a weight by: enough to have killed units, and no fault by itself, since the first updates of sound
programs often move as much (the median of 149 of them is 0.07, and some move a weight by more than its size)."""
LOWER = 0.1
"""What the rate is multiplied by in the fix."""


@dataclass(frozen=True, slots=True)
class Died:
    """How a layer began, and what moved it."""

    step: StepIndex
    dead: float
    optimizer: Optimizer
    weight: str
    ratio: float
    site: Site | None

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Both figures."""
        at = self.step.step.index
        moves = f"an update at the rate of {figure(self.rate)} moves `{self.weight}` by {percent(self.ratio)} of its size"
        return (Evidence(f"at step {at} only {percent(self.dead)} of them were, and {moves}", "ratio", self.ratio),)

    @property
    def rate(self) -> float | None:
        """Of the first group."""
        return self.optimizer.groups[0].rate if self.optimizer.groups else None

    def remedy(self, index: Index) -> Remedy | None:
        """A smaller rate."""
        return rated(index, self.optimizer, LOWER, None)


def died(index: Index, step: StepIndex, op: Op) -> Died | None:
    """The first step that ran this op, if almost all of its units were alive then and the first updates were large."""
    first = next((other for other in index.steps if other.step.index < step.step.index), None)
    began = _same(first, step, op) if first is not None else None
    figures = first.value(began.output).statistics if first is not None and began is not None else None
    optimizer = optimizer_of(index, first) if first is not None else None
    if first is None or figures is None or figures.dead is None or not figures.dead <= ALIVE or optimizer is None:
        return None
    above = first.upstream(began.output) if began is not None else frozenset()
    weights = [p for p in first.step.parameters if p.value in above and len(first.value(p.value).shape or ()) > 1]
    ratios = zip(expected_ratios(first, optimizer, weights), weights, strict=True)
    ratio, weight = max(((ratio, p.name) for ratio, p in ratios if ratio is not None), default=(0.0, ""))
    return Died(first, figures.dead, optimizer, weight, ratio, rate_set_at(index, optimizer)) if ratio >= FAR else None


def _same(first: StepIndex, step: StepIndex, op: Op) -> Op | None:
    """The call of the earlier step that this one is, where both make it as often: in a loop over layers, the one in the same turn."""
    then, now = ([o for o in one.graph.ops if (o.kind, o.module, _line(o)) == (op.kind, op.module, _line(op))] for one in (first, step))
    return then[now.index(op)] if len(then) == len(now) else None


def _line(op: Op) -> tuple[str, int] | None:
    return op.site.line_of_code if op.site is not None else None
