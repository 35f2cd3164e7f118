"""The part of WG412 that tells of a rate which falls away within the first steps, while there is much left to be learnt."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, fell_early, optimizer_of
from whygrad.flow.origins import rate_set_at, set_at
from whygrad.flow.trials import trial_of
from whygrad.idioms import idiom
from whygrad.ir import Course, Descend, Optimizer, Trial
from whygrad.rules.magnitude.scales import course_told, fell_told
from whygrad.rules.phrases import figure, places, plural

STEPS = 16
"""Updates on copies: a few are lost to the optimizer's averages, which begin anew."""
AGAIN = 0.5
"""Share of all that the run has gained which these few must gain once more; a run that had come to its end before the rate was cut gains next to nothing."""


def fallen_away(index: Index, step: StepIndex) -> Iterator[Diagnosis]:
    """Of a step that was recorded after the rate had fallen away."""
    optimizer, course = optimizer_of(index, step), course_of(index, step)
    if optimizer is None or course is None or optimizer.idle_from is not None or optimizer.last_rate is None or optimizer.rates is None:
        return
    start, steps = optimizer.low_from, optimizer.steps
    if start is None or not fell_early(start, steps) or step.step.index <= start or not optimizer.last_rate > 0:
        return
    change = Descend(steps=STEPS, factor=optimizer.rates[1] / optimizer.last_rate)
    trial = trial_of(step.step, change)
    if trial is None or left_over(trial, course):
        yield _diagnosis(index, step, optimizer, course, change)


def left_over(trial: Trial, course: Course) -> bool:
    """The updates on copies gain a good part of what the whole run has gained."""
    if not trial.losses or course.first is None or course.last is None:
        return False
    return trial.losses[0] - trial.losses[-1] >= AGAIN * max(course.first - course.last, 0.0)


def _diagnosis(index: Index, step: StepIndex, optimizer: Optimizer, course: Course, change: Descend) -> Diagnosis:
    start, high, last = optimizer.low_from or 0, optimizer.rates[1] if optimizer.rates else None, optimizer.last_rate
    site = set_at(index, optimizer, "schedule") or optimizer.schedule_site or rate_set_at(index, optimizer)
    return Diagnosis(
        rule="WG412",
        name="too-small-update",
        severity="warning",
        confidence="measured",
        message=f"the learning rate of `{optimizer.name}` falls from {figure(high)} to {figure(last)} within its first {plural(start, 'update')} of {optimizer.steps}, while the loss could still fall",
        site=site,
        label="the schedule of the rate",
        related=places((optimizer.site if optimizer.site != site else None, f"`{optimizer.name}` is made here")),
        evidence=(
            Evidence(
                f"from update {start} on the rate was a thousandth of {figure(high)} or less, for {optimizer.steps - start} of {plural(optimizer.steps, 'update')}",
                "updates",
                optimizer.steps - start,
            ),
            *fell_told(step, change, f"with the parameters of step {step.step.index}, at the highest rate of the run"),
            *course_told(course),
        ),
        help=idiom(index, "schedule units"),
        facts=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(optimizer.name,),
        test=Test(change, "at the highest rate of the run the loss falls again", required=True),
    )
