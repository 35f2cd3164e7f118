"""For WG311: a loss whose entries add up to the same number, whatever the parameters are."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of
from whygrad.idioms import spelled
from whygrad.ir import Op, Parameter, Statistics
from whygrad.rules.phrases import figure, places, plural

ROUNDING = 1e-6
"""Share of the sum of the absolute entries that is rounding: sixteen times the spacing of float32."""
STEPS = 20
"""Updates over which the loss must have been the same: fewer may be a plateau at the start."""
FURTHEST = 24
"""Ops that are looked at on the way back from the loss."""
_SUMS = ("sum", "mean")
_ONWARD = ("neg", "mul", "div", "add", "sub", "reshape", "cast", "squeeze")
"""Ops between the sum and the loss."""


@dataclass(frozen=True, slots=True)
class Cancelling:
    """A sum that the loss is, with the least and the greatest that it was over the run."""

    op: Op
    entries: Statistics
    lowest: float
    highest: float
    steps: int


def adds_up(index: Index) -> Iterator[Diagnosis]:
    """One diagnosis for each kind of step, at the sum."""
    for steps in index.kinds.values():
        differentiated = [step for step in steps if step.step.differentiated]
        found = [constant_sum(index, step) for step in differentiated]
        if len(found) > 1 and found[-1] is not None and all(found):
            yield _about(differentiated, found[-1])


def constant_sum(index: Index, step: StepIndex) -> Cancelling | None:
    """The sum that the loss is, where its entries differ and neither the loss nor any gradient is more than rounding makes of them."""
    op = _summed(step)
    entries = step.value(op.inputs[0]).statistics if op is not None else None
    course = course_of(index, step)
    if op is None or entries is None or course is None or course.lowest is None or course.highest is None:
        return None
    spread = ROUNDING * sqrt(entries.count) * (entries.norm or 0.0)
    spread *= _scaled(step, op) / (entries.count if op.kind == "mean" else 1)
    stays = course.steps >= STEPS and course.highest - course.lowest <= 2 * spread  # never so of a NaN
    if not stays or not _same_for_other_labels(step, spread) or not _nothing_comes_back(step, spread):
        return None
    return Cancelling(op, entries, course.lowest, course.highest, course.steps)


def _scaled(step: StepIndex, op: Op) -> float:
    """What a sum is multiplied by on its way to the loss: 1 where it is a part of the loss, or rounding itself."""
    made, loss = step.value(op.output).statistics, step.step.measures.loss
    size = max(abs(made.minimum or 0.0), abs(made.maximum or 0.0)) if made is not None else 0.0
    return min(1.0, abs(loss) / size) if loss is not None and size > ROUNDING else 1.0


def _summed(step: StepIndex) -> Op | None:
    """The nearest sum or mean of entries that differ, from which the loss is made by adding and multiplying alone."""
    waiting = list(step.losses) if len(step.losses) == 1 else []
    for _ in range(FURTHEST):
        name = waiting.pop(0) if waiting else ""
        op = step.producer[name][1] if name in step.producer else None
        if op is None or op.kind not in (*_SUMS, *_ONWARD):
            continue
        entries = step.value(op.inputs[0]).statistics if op.inputs else None
        if op.kind in _SUMS and entries is not None and _differ(entries):
            return op
        waiting += [given for given in op.inputs if given in step.depends_on_parameters]
    return None


def _differ(entries: Statistics) -> bool:
    low, high = entries.minimum, entries.maximum
    return (
        entries.finite == 1.0
        and low is not None
        and high is not None
        and high - low > ROUNDING * max(abs(low), abs(high))
        and entries.count > 1
    )


def _nothing_comes_back(step: StepIndex, spread: float) -> bool:
    """Of all parameters that the loss is made of, the last layer's among them."""
    live = [p for p in step.step.parameters if p.trainable and p.value in step.shapes_loss]
    return bool(live) and all(_rounded(p, spread) for p in live)


def _rounded(parameter: Parameter, spread: float) -> bool:
    norm = parameter.gradient_norm
    return parameter.gradient == "zero" or (
        parameter.gradient == "finite" and norm is not None and norm * max(1.0, parameter.norm or 0.0) <= spread
    )


def _same_for_other_labels(step: StepIndex, spread: float) -> bool:
    """What is saturated or dying has other losses for other labels. Nothing is permuted where the gradient is exactly 0 anyway: then the loss has to be 0 as well."""
    loss, permuted = step.step.measures.loss, step.step.measures.loss_permuted
    return loss is not None and abs((permuted if permuted is not None else 0.0) - loss) <= spread


def _about(steps: list[StepIndex], found: Cancelling) -> Diagnosis:
    step, op, kind = steps[-1], found.op, str(steps[-1].step.kind)
    shown = step.value(step.losses[0]).shown
    largest = max((p.gradient_norm or 0.0 for each in steps for p in each.step.parameters), default=0.0)
    made = step.producer[op.inputs[0]][1].site if op.inputs[0] in step.producer else None
    return Diagnosis(
        "WG311",
        "constant-loss",
        "error",
        "measured",
        f"`{shown}` is the same number whatever the model says: what `{spelled(op)}` adds up cancels",
        site=op.site,
        label=f"always {figure(round(found.lowest, 4) + 0.0)}, and its gradient is rounding",
        related=places((made if made != op.site else None, "the entries are made here")),
        evidence=(
            Evidence(
                f"the entries are between {figure(found.entries.minimum)} and {figure(found.entries.maximum)}; the loss stayed between {figure(found.lowest)} and {figure(found.highest)} in {plural(found.steps, 'step')}",
                "spread",
                found.highest - found.lowest,
            ),
            Evidence(
                f"no parameter's gradient has a norm above {figure(largest)} in {plural(len(steps), 'recorded step')}",
                "gradient_norm",
                largest,
            ),
        ),
        help=_advice(step, op),
        facts=frozenset({Fact("constant-loss", kind), Fact("vanishes", kind)}),
        explains=frozenset({Fact("stands", kind), Fact("insensitive", kind), Fact("chance", kind)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(shown,),
    )


def _advice(step: StepIndex, op: Op) -> str:
    """What to do instead, by what is added up."""
    above = step.upstream(op.inputs[0])
    if any(other.kind == "softmax" and not above.isdisjoint(other.outputs) for other in step.graph.ops):
        return "a sum over a softmax's own axis is 1 whatever the scores: take the logarithm of the probability of what was chosen, weigh that alone, and only then add"
    return "look for what is taken off before adding up: the entries less their own mean always add up to 0; square them, or compare one by one"
