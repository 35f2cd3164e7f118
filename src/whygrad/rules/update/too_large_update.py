"""WG411: updates so large that the loss runs away."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Remedy, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import RUNS_AWAY, course_of, expected_ratios, failure, fresh, optimizer_of, supervised
from whygrad.flow.growth import grown
from whygrad.flow.origins import rate_set_at
from whygrad.ir import Course, Descend, Optimizer
from whygrad.rules import rule
from whygrad.rules.magnitude.scales import course_told, fell_told
from whygrad.rules.phrases import distinct, figure, places
from whygrad.rules.remedies_of_settings import lowered, rated
from whygrad.rules.update.optimizer_epsilon import ruled_by_epsilon
from whygrad.rules.update.overshot import TOLD, overshot, to_try
from whygrad.rules.update.written_updates import written_updates

FAR = 0.1
"""Share of its norm by which a parameter must move in one update for the experiment to be worth its time; a thousandth is usual."""
RAISED = 10.0
"""How many times the rate of the best losses a schedule must have gone to be blamed."""


@rule("WG411", "too-large-update", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The updates are so large that the loss rises, runs away or ends where a constant guess would put it.

    ## What it finds
    A run whose loss went to ten times its first value or more and never came back below it, or became NaN on the way; and that a smaller
    learning rate would have made fall. So is a run that came back, but never as low as four updates at a smaller rate get at once; one whose
    loss rose by a quarter and more with its first updates and never came back to where it began; and one whose last losses are those of a
    constant guess, after it ran away or without ever having got as low as those four updates do. Where a program writes its updates itself, one that moves a
    parameter by more than its size, and a run that ran away from there.

    ## Why it matters
    Each update overshoots the minimum and lands higher up the other side.

    ## When it is fine
    Losses that rise for a while and come down again, and losses of adversaries and agents, which need not fall, stay silent.

    ## How sure
    Measured: by the loss over the whole run, and by a few updates on copies of the parameters at a thirtieth of the rate, or less where
    that is still far too much, whose loss must fall where the program's own rises or hardly falls. Where a schedule raised the rate after
    the recorded steps, no such experiment can be made: then it is suspected, from the rates at which the loss was lowest and highest.

    ## References
    `whygrad explain WG505` and `WG506` where the data's scale is the reason, `WG212` where a sum in place of a mean is.
    """
    yield from distinct(one for step in index.steps if supervised(index, step) for one in of_step(index, step))
    yield from written_updates(index)


def of_step(index: Index, step: StepIndex) -> Iterator[Diagnosis]:
    """What the course of this step's loss says."""
    course, optimizer = course_of(index, step), optimizer_of(index, step)
    if optimizer is None:
        return
    if failure(course) == "diverges" and course is not None and raised(course, optimizer):
        yield diagnosis(index, step, optimizer, course, None)
    elif (
        failure(course) == "diverges"
        or (fresh(index, step) and far(step, optimizer) and not passed(index, step, course))
        or overshot(index, step, course) is not None
        or lost(index, course, optimizer)
    ):
        change = smaller(step, optimizer)
        yield diagnosis(index, step, optimizer, course, Test(change, f"{TOLD[change]} the loss falls", required=True))


def passed(index: Index, step: StepIndex, course: Course | None) -> bool:
    """Nobody has seen the loss go, the run went on after this step, and as far as it was recorded it did not run away."""
    recorded = [loss for one in index.kinds.get(step.step.kind, ()) if (loss := one.step.measures.loss) is not None]
    grew = len(recorded) > 1 and not recorded[-1] < RUNS_AWAY * recorded[0]
    return course is None and index.record.outcome.steps_seen > step.step.index + 1 and not grew


def lost(index: Index, course: Course | None, optimizer: Optimizer) -> bool:
    """Nobody has seen the loss go, and at the end there are no numbers in what the optimizer holds."""
    held = {name for group in optimizer.groups for name in group.parameters}
    return course is None and any(not ending.finite for name, ending in index.record.endings.items() if name in held)


def smaller(step: StepIndex, optimizer: Optimizer) -> Descend:
    """The smaller rate to try, or that was tried."""
    ratio = max((found for found in ratios(step, optimizer, axes=2) if found is not None), default=0.0)
    return to_try(step, ratio)


def far(step: StepIndex, optimizer: Optimizer) -> bool:
    """Some parameter will move by a tenth of its size or more at once; an epsilon that decides the length of the updates keeps them short (WG419)."""
    return not ruled_by_epsilon(step, optimizer) and any(ratio is not None and ratio >= FAR for ratio in ratios(step, optimizer))


def ratios(step: StepIndex, optimizer: Optimizer, axes: int = 0) -> tuple[float | None, ...]:
    """How far one update will move each parameter of so many axes or more for its size; biases may begin next to zero."""
    held = (p for p in step.step.parameters if p.optimizer == optimizer.name and len(step.value(p.value).shape or ()) >= axes)
    return expected_ratios(step, optimizer, held)


def highest(course: Course, optimizer: Optimizer) -> tuple[float | None, float | None]:
    """The highest loss and the rate at that time; a loss that ran away within a few steps and then was no number is in no mean but the last."""
    if course.non_finite is not None and course.last is not None and course.highest is not None and course.last > course.highest:
        return course.last, optimizer.last_rate
    return course.highest, course.rate_at_highest


def raised(course: Course, optimizer: Optimizer) -> bool:
    """The loss was highest at a far higher rate than it was lowest."""
    low, (_, high) = course.rate_at_lowest, highest(course, optimizer)
    return low is not None and high is not None and high >= RAISED * low > 0


def diagnosis(index: Index, step: StepIndex, optimizer: Optimizer, course: Course | None, test: Test | None) -> Diagnosis:
    """What is said, at the rate."""
    kind = str(step.step.kind)
    rate = optimizer.groups[0].rate if optimizer.groups else optimizer.last_rate
    peak = highest(course, optimizer)[1] if course is not None and test is None else rate
    scheduled = test is None
    settings = optimizer.groups[0].settings if optimizer.groups else {}
    lost, behind = settings.get("lost_scale"), settings.get("normalised_by")
    went = (overshot(index, step, course) if failure(course) != "diverges" else None) or "the loss runs away"
    site = (optimizer.schedule_site or optimizer.rate_site if scheduled or lost else None) or rate_set_at(index, optimizer)
    return Diagnosis(
        rule="WG411",
        name="too-large-update",
        severity="warning",
        confidence="suspected" if scheduled else "measured",
        message=f"`{lost}` of `{optimizer.name}` is without effect: its updates are as large as at a rate of {figure(peak)}, and {went}"
        if lost
        else f"the learning rate of {figure(peak)} is too large: {went}",
        site=site,
        label=f"what it makes small `{behind}` makes large again" if lost else _label(optimizer, scheduled=scheduled),
        related=places((optimizer.site if optimizer.site != site else None, f"`{optimizer.name}` is made here")),
        evidence=(
            *course_told(course),
            *(fell_told(step, change, TOLD[change]) if test and (change := test.intervention) in TOLD else ()),
            *(rates_told(course, optimizer) if scheduled and course is not None else ()),
        ),
        help=f"put `{lost}` behind `{behind}`, as the last link of the chain" if lost else _lower(scheduled=scheduled),
        facts=frozenset({Fact("diverges", kind), Fact("stands", kind)}),
        explains=frozenset(
            {
                *(Fact("dead", name) for name in (*step.values, *(p.name for p in step.step.parameters))),
                *(Fact("non-finite", name) for one in index.steps for name in one.losses),
                *grown(index),
            }
        ),
        kind=step.step.kind,
        names=(optimizer.name,),
        remedy=None if lost else _remedy(index, optimizer, course, test),
        test=test,
    )


def _label(optimizer: Optimizer, *, scheduled: bool) -> str:
    """What stands at the place of the rate."""
    if not scheduled:
        return "the rate is set here"
    seen = optimizer.schedule_site or optimizer.rate_site
    return "the rate is raised here" if seen else "made here with a smaller rate, which something raises later on"


def _lower(*, scheduled: bool) -> str:
    """What to make smaller."""
    if scheduled:
        return "lower the peak of the schedule, or of what else raises the rate, and watch the loss as it rises"
    return "lower the learning rate, ten times at first"


def _remedy(index: Index, optimizer: Optimizer, course: Course | None, test: Test | None) -> Remedy | None:
    """A smaller rate that was tried, or a schedule that rises no further than the loss bore."""
    if test is not None:
        return rated(index, optimizer, change.factor, change) if isinstance(change := test.intervention, Descend) else None
    rate = course.rate_at_lowest if course is not None else None
    return lowered(optimizer.schedule_site, rate) if rate else None


def rates_told(course: Course, optimizer: Optimizer) -> Iterator[Evidence]:
    """At which rates the loss was lowest and highest."""
    top, rate = highest(course, optimizer)
    yield Evidence(
        f"it was lowest ({figure(course.lowest)}) at a rate of {figure(course.rate_at_lowest)}, and highest ({figure(top)}) at {figure(rate)}",
        "rate",
        rate,
    )
