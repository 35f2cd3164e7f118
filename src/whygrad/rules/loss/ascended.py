"""The part of WG215 that tells of updates which go the way of the gradient, by hand or by an optimizer that was handed it turned round: the loss is climbed that they should lower."""

from collections.abc import Iterator, Sequence
from math import isfinite

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, supervised
from whygrad.flow.origins import turned_at
from whygrad.flow.signs import Sign
from whygrad.ir import Course, Event, Site
from whygrad.rules.phrases import figure
from whygrad.rules.remedies import remedy

ALONG = 0.99
"""Cosine with the gradient from which on a parameter climbs: what is added is the gradient times a number."""
UPHILL = 0.3
"""The same of what an optimizer made of the gradient, which momentum and scaling turn aside. Of 40 sound JAX programs of the corpus it lies between -1 and -0.3 in the recorded updates of nearly all parameters; the largest of any is 0.13."""
_WEIGHING = frozenset(("linear", "matmul", "conv", "embedding", "rnn", "mul"))
"""Kinds of op by which weights meet the data; what is merely added to them is perturbed on purpose."""


def ascended(index: Index, step: StepIndex, agreements: Sequence[Sign]) -> Iterator[Diagnosis]:
    """Of one step: all updates climb, each loss falls as the prediction comes nearer to the labels, and in the run it rose."""
    course = course_of(index, step)
    lowered = bool(agreements) and all(agreement < 0 for agreement in agreements)
    if not lowered or course is None or not _rose(course) or not supervised(index, step):
        return
    updates = list(step.events("update"))
    along = [one for event in updates if isinstance(one := event.attributes.get("along"), float)]
    by_hand = bool(along) and len(along) == len(updates) and all(one >= ALONG for one in along)
    if by_hand and not any(True for _ in step.events("optimizer_step")) and _weighs(step, {n for event in updates for n in event.targets}):
        yield _about(step, updates[0], along[0], course)
    elif not by_hand and (uphill := _uphill(index, step)) is not None:
        yield _turned(index, step, uphill, course)


def _uphill(index: Index, step: StepIndex) -> float | None:
    """The least cosine of an update with its gradient, where that of every parameter goes uphill in all steps of this kind."""
    moved = [p for one in index.kinds[step.step.kind] for p in one.step.parameters if p.moved]
    # timid: a rate that is known to be negative is WG406's, and what is added as it is WG218's
    known = [p.along for p in moved if p.along is not None]
    told = any(o.rates is not None and o.rates[0] < 0 for o in index.record.optimizers) or any(True for _ in step.events("ascent"))
    if told or not known or len(known) < len(moved) or not min(known) >= UPHILL or not _weighs(step, {p.name for p in moved}):
        return None
    return min(known)


def _rose(course: Course) -> bool:
    """The run ended with a larger loss than it began with."""
    start, last = course.start, course.last
    return start is not None and last is not None and isfinite(start) and isfinite(last) and last > start


def _weighs(step: StepIndex, moved: set[str]) -> bool:
    """Some of what is moved weighs the data."""
    values = {p.value for p in step.step.parameters if p.name in moved}
    return any(op.kind in _WEIGHING and not values.isdisjoint(op.inputs) for op in step.graph.ops)


def _about(step: StepIndex, event: Event, along: float, course: Course) -> Diagnosis:
    """What is said of updates by hand."""
    return _diagnosis(
        step,
        event.site,
        course,
        message="each update adds the gradient to the parameters, and so climbs the loss that it should lower",
        label="adds what should be taken off",
        evidence=Evidence(f"what is added points the way of the gradient: their cosine is {figure(along)}", "along", along),
        help="take it off: `p -= rate * p.grad`",
    )


def _turned(index: Index, step: StepIndex, along: float, course: Course) -> Diagnosis:
    """What is said of an optimizer's updates, where they are added, or the gradient is turned round."""
    applied = next((event.site for kind in ("update", "optimizer_step") for event in step.events(kind) if event.site), None)
    turned = turned_at(index)
    return _diagnosis(
        step,
        turned or applied,
        course,
        message="each update goes the way of the gradient, and so climbs the loss that it should lower",
        label="has the wrong sign" if turned else "goes uphill",
        evidence=Evidence(
            f"what is added to each parameter points the way of its gradient: their cosine is {figure(along)} or more", "along", along
        ),
        help="turn it round: optimizers take the gradient as it is, and what they return is added, not taken off"
        if turned
        else "take it off"
        if not any(True for _ in step.events("optimizer_step"))
        else "look for a sign between the gradient and this line: optimizers take the gradient as it is, and what they return is added, not taken off",
        mended=_turned_back(turned),
    )


def _turned_back(site: Site | None) -> Remedy | None:
    """What has the wrong sign, with the other one."""
    if site is None or site.end_column == 0:
        return None
    if "flip_sign" in site.text:
        return remedy("turn it round", Edit("replace", site, "True"))
    written = site.text[site.column - 1 : site.end_column - 1]
    return remedy("turn it round", Edit("replace", site, written[1:]) if written.startswith("-") else Edit("wrap", site, "-{x}"))


def _diagnosis(
    step: StepIndex,
    site: Site | None,
    course: Course,
    *,
    message: str,
    label: str,
    evidence: Evidence,
    help: str,
    mended: Remedy | None = None,
) -> Diagnosis:
    kind = str(step.step.kind)
    return Diagnosis(
        rule="WG215",
        name="loss-sign",
        severity="error",
        confidence="measured",
        message=message,
        site=site,
        label=label,
        evidence=(
            evidence,
            Evidence(
                f"over {course.steps:,} steps the loss rose from {figure(course.start)} to {figure(course.last)}", "loss", course.last
            ),
        ),
        help=help,
        facts=frozenset({Fact("diverges", kind)}),
        explains=frozenset({Fact("stands", kind), *(Fact("non-finite", name) for name in step.losses)}),
        kind=step.step.kind,
        step=step.step.index,
        remedy=mended,
    )
