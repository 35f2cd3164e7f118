"""The part of WG219 about a weight decay inside the optimizer that takes the weights away faster than the data can write them."""

from collections.abc import Iterable, Iterator
from math import hypot

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, ends_at_chance, fails, fitted, fresh, optimizer_of
from whygrad.flow.origins import set_at
from whygrad.ir import Descend, Group, Optimizer
from whygrad.rules.magnitude.scales import course_told, fell_told
from whygrad.rules.phrases import figure, finite, places
from whygrad.rules.remedies import remedy, setting
from whygrad.rules.remedies_of_settings import in_place_of, made_as

NONE = Descend(decay=0.0, steps=8)
"""More updates than other descents have: what a decay takes away adds up, and its first ones bring a loss that begins above chance down to that."""
TIMES = 3.0
"""How many times the gradient the decay must be, both as norms over all parameters. In balance the two are equal, so that a run which has learnt stays below."""
WORD = "weight_decay"


def swamped(index: Index) -> Iterator[Diagnosis]:
    """Steps whose update is mostly decay, in a run that fails."""
    for step in index.steps:
        optimizer = optimizer_of(index, step)
        if optimizer is None or not any(_decay(group) for group in optimizer.groups) or not fitted(index, step):
            continue
        times = swamps(step, optimizer)
        if times is not None and (fresh(index, step) or fails(index, step) is not None or ends_at_chance(index, step)):
            yield diagnosis(index, step, optimizer, times)


def swamps(step: StepIndex, optimizer: Optimizer) -> float | None:
    """How many times the gradient the decay is; None where the gradient is felt beside it."""
    pairs = [
        (group, p) for group in optimizer.groups for p in step.step.parameters if p.name in group.parameters and p.gradient == "finite"
    ]
    decay = _norm(_decay(group) * p.norm for group, p in pairs if p.norm is not None)
    gradient = _norm(p.gradient_norm for _, p in pairs if p.gradient_norm is not None)
    if not pairs or not finite(decay) or not finite(gradient) or not decay >= TIMES * gradient > 0:
        return None
    return decay / gradient


def _norm(numbers: Iterable[float]) -> float:
    return hypot(*numbers)


def _decay(group: Group) -> float:
    given = group.settings.get(WORD)
    return float(given) if isinstance(given, int | float) and finite(given) else 0.0


def diagnosis(index: Index, step: StepIndex, optimizer: Optimizer, times: float) -> Diagnosis:
    """What is said, where the decay is set."""
    elsewhere, decay = set_at(index, optimizer, WORD), max(_decay(group) for group in optimizer.groups)
    return Diagnosis(
        rule="WG219",
        name="penalty-dominates",
        severity="warning",
        confidence="measured",
        message=f"the weight decay of `{optimizer.name}`, {figure(decay)}, is {figure(times)} times the gradient, and drowns it",
        site=elsewhere or optimizer.site,
        label="the decay is set here" if elsewhere else "the optimizer is made here",
        related=places((optimizer.site if elsewhere else None, f"`{optimizer.name}` is made here")),
        evidence=(
            Evidence(
                f"{figure(decay)} times the weights is {figure(times)} times the gradient, as norms over all parameters", "times", times
            ),
            *fell_told(step, NONE, "without it"),
            *course_told(course_of(index, step)),
        ),
        help="make the weight decay smaller: 0.01 with AdamW, 0.0001 with plain gradient descent are usual, and 0 shows whether the model learns at all",
        facts=frozenset({Fact("odd-decay", optimizer.name)}),
        explains=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        names=(optimizer.name,),
        remedy=remedy(
            "leave the weight decay out",
            in_place_of(elsewhere, decay, "0.0") or setting(optimizer.site, WORD, "0.0", calls=made_as(optimizer)),
            changes="the weights are not held small at all, which a smaller decay would do",
            proof=NONE,
        ),
        test=Test(NONE, "without it the loss falls at least twice as far, or ends a fifth lower", required=True),
    )
