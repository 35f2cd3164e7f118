"""The part of WG411 about updates that the program writes itself: no optimizer is there whose rate could be tried smaller, but how far they go is measured."""

from collections.abc import Iterator
from math import prod

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, failure, supervised
from whygrad.flow.growth import grown
from whygrad.idioms.spellings import spelling
from whygrad.ir import Course, Event, Op, Parameter
from whygrad.rules.magnitude.scales import course_told
from whygrad.rules.phrases import figure, finite, places
from whygrad.rules.remedies import remedy

WHOLE = 1.0
"""
Share of its norm by which a parameter must move in one update written by hand. With an optimizer's rate a tenth is enough to try a smaller one; here nothing is tried, so
that the update has to go further than the parameter is large, the next loss has to be higher, and the run has to run away.
"""
ALIKE = 1e-3
"""How near the rates of all parameters must be to count as one."""


def written_updates(index: Index) -> Iterator[Diagnosis]:
    """One diagnosis of the first recorded step whose updates go too far, in a run without optimizers whose loss runs away."""
    for step in () if any(True for one in index.steps for _ in one.events("optimizer_step")) else index.steps:
        course, updates = course_of(index, step), [event for event in step.events("update") if event.site is not None]
        if course is None or not updates or failure(course) != "diverges" or not supervised(index, step) or not _rises(index, step):
            continue
        far = max((p for p in step.step.parameters if _share(p) is not None), key=lambda p: _share(p) or 0.0, default=None)
        if far is not None and (_share(far) or 0.0) >= WHOLE:
            yield _diagnosis(index, step, course, far, updates)
            return


def _share(parameter: Parameter) -> float | None:
    """How far it moved for its size."""
    moved, norm = parameter.update_norm, parameter.norm
    return moved / norm if moved is not None and norm is not None and finite(moved) and finite(norm) and norm > 0 else None


def _rises(index: Index, step: StepIndex) -> bool:
    """The next recorded step of its kind has a larger loss, or one that is no number."""
    later = [one.step.measures.loss for one in index.kinds.get(step.step.kind, ()) if one.step.index > step.step.index]
    loss = step.step.measures.loss
    return bool(later) and loss is not None and later[0] is not None and not later[0] <= loss


def _rate(step: StepIndex) -> float | None:
    """The one number that all gradients were multiplied with."""
    found = [
        p.update_norm / p.gradient_norm
        for p in step.step.parameters
        if p.update_norm and p.gradient_norm and finite(p.update_norm) and finite(p.gradient_norm)
    ]
    return found[0] if found and max(found) - min(found) <= ALIKE * max(found) else None


def _summed(step: StepIndex) -> tuple[int, Op | None]:
    """Entries of the batch that the loss adds up, where a mean would divide by their number, and the sum; 0 where it takes a mean."""
    made = (step.producer[name][1] for name in step.losses if name in step.producer)
    found = next((op for op in made if op.kind == "sum" and op.inputs), None)
    return (prod(step.value(found.inputs[0]).shape or (1,)), found) if found is not None else (0, None)


def _diagnosis(index: Index, step: StepIndex, course: Course, far: Parameter, updates: list[Event]) -> Diagnosis:
    """What is said, at the update."""
    kind, rate, (entries, added) = str(step.step.kind), _rate(step), _summed(step)
    mean = (
        Edit("swap", added.site, spelling(index, "mean"), ("sum",))
        if added is not None and added.site is not None and entries > 1
        else None
    )
    own = next((event for event in updates if far.name in event.targets), updates[0])
    return Diagnosis(
        rule="WG411",
        name="too-large-update",
        severity="warning",
        confidence="measured",
        message=f"the updates{f' at a rate of {figure(rate)}' if rate is not None else ''} are too large: the first moves `{far.name}` by {figure(_share(far))} times its size, and the loss runs away",
        site=own.site,
        label="the parameter is moved here",
        related=places((added.site if added is not None else None, f"the loss adds up {entries:,} entries")),
        evidence=(
            Evidence(f"`{far.name}` has the norm {figure(far.norm)}, and this update moves it by {figure(far.update_norm)} (step {step.step.index})", "moved", _share(far)),
            *course_told(course),
        ),
        help=(f"take the mean of the {entries:,} entries instead of their sum, or a" if entries > 1 else "a") + " rate that is ten times smaller at first",
        facts=frozenset({Fact("diverges", kind), Fact("stands", kind)}),
        explains=frozenset({*(Fact("non-finite", name) for one in index.steps for name in one.losses), *grown(index)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(far.name,),
        remedy=remedy("take the mean", mean, changes="a rate that was chosen for the sum is small for the mean") if mean is not None else None,
    )  # fmt: skip
