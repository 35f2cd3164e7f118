"""The part of WG215 that tells of updates by hand which add the gradient: the loss is climbed that they should lower."""

from collections.abc import Iterator, Sequence
from math import isfinite

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, supervised
from whygrad.flow.signs import Sign
from whygrad.ir import Course, Event
from whygrad.rules.phrases import figure

ALONG = 0.99
"""Cosine with the gradient from which on a parameter climbs: what is added is the gradient times a number."""
_WEIGHING = frozenset(("linear", "matmul", "conv", "embedding", "rnn", "mul"))
"""Kinds of op by which weights meet the data; what is merely added to them is perturbed on purpose."""


def ascended(index: Index, step: StepIndex, agreements: Sequence[Sign]) -> Iterator[Diagnosis]:
    """Of one step: all updates climb, each loss falls as the prediction comes nearer to the labels, and in the run it rose."""
    updates = list(step.events("update"))
    course = course_of(index, step)
    along = [one for event in updates if isinstance(one := event.attributes.get("along"), float)]
    climbs = bool(along) and len(along) == len(updates) and all(one >= ALONG for one in along)
    lowered = bool(agreements) and all(agreement < 0 for agreement in agreements)
    if not climbs or not lowered or course is None or any(True for _ in step.events("optimizer_step")) or not supervised(index, step):
        return
    if _rose(course) and _weighs(step, updates):
        yield _about(step, updates[0], along[0], course)


def _rose(course: Course) -> bool:
    """The run ended with a larger loss than it began with."""
    start, last = course.start, course.last
    return start is not None and last is not None and isfinite(start) and isfinite(last) and last > start


def _weighs(step: StepIndex, updates: Sequence[Event]) -> bool:
    """Some of what is moved weighs the data."""
    moved = {name for event in updates for name in event.targets}
    values = {p.value for p in step.step.parameters if p.name in moved}
    return any(op.kind in _WEIGHING and not values.isdisjoint(op.inputs) for op in step.graph.ops)


def _about(step: StepIndex, event: Event, along: float, course: Course) -> Diagnosis:
    kind = str(step.step.kind)
    return Diagnosis(
        rule="WG215",
        name="loss-sign",
        severity="error",
        confidence="measured",
        message="each update adds the gradient to the parameters, and so climbs the loss that it should lower",
        site=event.site,
        label="adds what should be taken off",
        evidence=(
            Evidence(f"what is added points the way of the gradient: their cosine is {figure(along)}", "along", along),
            Evidence(
                f"over {course.steps:,} steps the loss rose from {figure(course.start)} to {figure(course.last)}", "loss", course.last
            ),
        ),
        help="take it off: `p -= rate * p.grad`",
        facts=frozenset({Fact("diverges", kind)}),
        explains=frozenset({Fact("stands", kind), *(Fact("non-finite", name) for name in step.losses)}),
        kind=step.step.kind,
        step=step.step.index,
    )
