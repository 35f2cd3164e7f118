"""Losses that too large a rate keeps up, though they don't run away to the end: told by a few updates at a smaller rate from where the run began."""

from itertools import pairwise

from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import ENOUGH, RUNS_AWAY, ends_flat
from whygrad.flow.trials import jumped, outran, trial_of
from whygrad.ir import Course, Descend, Trial

SMALLER = Descend(factor=0.03)
"""A thirtieth: rates are usually wrong by a factor of ten or more."""
TOLD = {
    SMALLER: "at a thirtieth of the rate",
    Descend(factor=0.003): "at a three-hundredth of the rate",
    Descend(factor=0.0003): "at a three-thousandth of the rate",
}
"""Tried is the first of these at which no update would move a weight by `WHOLE` any more, and the next where the loss jumps at that."""
WHOLE = 1.0
"""Share of its norm by which an update replaces a weight altogether: at such a rate nothing can be learnt."""
CLOSE = 1e-3
"""Share by which the first loss of the experiment may differ from the run's: a replay rounds otherwise."""
ABOVE = 1.25
"""How many times its first value every mean of the losses must be for the loss to have stayed above: a model that learns nothing stays at its first value, give or take a tenth."""


def tried(step: StepIndex) -> Descend | None:
    """The smallest rate that was tried on this step."""
    return next((change for change in reversed(TOLD) if trial_of(step.step, change) is not None), None)


def to_try(step: StepIndex, ratio: float) -> Descend:
    """The smaller rate that was tried; the next one where its loss jumped; the first that replaces no weight, at an update of so many times its norm."""
    done, rates = tried(step), tuple(TOLD)
    if done is None:
        return next((change for change in rates if ratio * change.factor < WHOLE), rates[-1])
    trial = trial_of(step.step, done)
    return rates[min(rates.index(done) + 1, len(rates) - 1)] if trial is not None and outran(trial) else done


def overshot(index: Index, step: StepIndex, course: Course | None) -> str | None:
    """What the loss did that was long enough to be judged, and that a smaller rate would not have made it do."""
    if course is None or course.start is None or course.steps < ENOUGH or not course.start > 0:
        return None
    change = tried(step)
    trial = trial_of(step.step, change) if change is not None else None
    began = trial if trial and trial.losses and near(trial.losses[0], course.start) else None
    if began and ran_away(course) and never_as_low(course, began):
        return "the loss runs away"
    if began and stays_above(course, began):
        return "the loss rises at once and never comes back to where it began"
    here = trial if trial and trial.losses and near(trial.losses[0], step.step.measures.loss) else None
    if ends_flat(index, step, course) and (ran_away(course) or (here and (never_as_low(course, here) or jumped(here.plain)))):
        return "the loss ends where a constant guess would be"
    return None


def near(loss: float, other: float | None) -> bool:
    """The experiment began where the run was."""
    return other is not None and abs(loss - other) <= CLOSE * abs(other)


def ran_away(course: Course) -> bool:
    """The loss was many times as high as it began."""
    return course.start is not None and course.highest is not None and course.highest >= RUNS_AWAY * course.start > 0


def never_as_low(course: Course, trial: Trial) -> bool:
    """A few updates at the smaller rate bring the loss below all that the run ever reached."""
    return course.lowest is not None and trial.losses[-1] < course.lowest


def stays_above(course: Course, trial: Trial) -> bool:
    """
    The loss went up at once and stayed clearly above where it began: a replay's loss rises at the program's own rate and falls at the smaller one, each
    time that an update is made.
    """
    if course.start is None or course.lowest is None or course.last is None or not trial.plain:
        return False
    steadily = all(later < earlier for earlier, later in pairwise(trial.losses))
    return steadily and min(course.lowest, course.last, *trial.plain[1:]) >= ABOVE * course.start
