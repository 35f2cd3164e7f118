"""What is measured on each recorded step: the unchanged replay, label sensitivity, and what the rules ask for."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from math import inf, isfinite

from whygrad.diagnosis import Test
from whygrad.flow import StepIndex
from whygrad.flow.labels import permuting, varying
from whygrad.flow.trials import outran
from whygrad.ir import Descend, Intervention, Measures, Step, Trial
from whygrad.replay import Replay

STEPS_WORTH = 10
"""All experiments on one recorded step may take this many times what the step itself takes to replay."""
FLOOR = 0.5
"""Seconds that experiments may take however short the step is: what ten steps of 50 ms take, the shortest for which the bar on speed is set."""

ALL_THE_SAME = "every label of the batch is the same, so there is nothing to permute"
"""Why S has no meaning for such labels; they are drawn anew instead, which shows whether the loss would heed others."""

Clock = Callable[[], float]
Wanted = Callable[[Step], Iterable[Test]]


@dataclass(frozen=True, slots=True)
class Budget:
    """A moment after which no further experiment is begun."""

    deadline: float
    clock: Clock

    @property
    def spent(self) -> bool:
        """Nothing more may be begun."""
        return self.clock() >= self.deadline


def examine(step: Step, replay: Replay, wanted: Wanted, clock: Clock = time.thread_time, *, bounded: bool = True) -> Step:
    """The step with its measures and trials. `wanted` gives the tests that rules ask for, once the measures are known.

    Where a smaller rate was tried and is still too large, the rules are asked once more. `bounded`: stop after ten steps' worth of time; else every test is made. Time is what this thread computes, so that verdicts do not depend on what else the machine does.
    """
    began = clock()
    baseline = replay.baseline()
    one_replay = (clock() - began) / 2
    budget = Budget(began + max(STEPS_WORTH * one_replay, FLOOR) if bounded else inf, clock)
    step = replace(step, measures=merged(step.measures, baseline))
    if not finite_so_far(step):
        step = replace(step, births=replay.births(step.index))
    step = with_sensitivity(step, replay)
    first = with_trials(step, perform(step, replay, [*drawn_anew(step), *wanted(step)], budget))
    again = any(outran(trial) for trial in first.trials) and not budget.spent
    return with_trials(first, perform(first, replay, wanted(first), budget)) if again else first


def drawn_anew(step: Step) -> Iterator[Test]:
    """For labels that can't be permuted since all are the same: before a rule may speak of them, more of them have to be seen."""
    for name in step.labels.values if step.measures.sensitivity_reason == ALL_THE_SAME else ():
        yield Test(varying(StepIndex(step), name), "labels that differ give another gradient")


def with_trials(step: Step, trials: Iterable[Trial]) -> Step:
    """The step with more trials, each in the place of one of the same change that could not be made before."""
    made = tuple(trials)
    again = {trial.intervention for trial in made}
    return replace(step, trials=(*(trial for trial in step.trials if not (trial.reason and trial.intervention in again)), *made))


def finite_so_far(step: Step) -> bool:
    """The loss and the gradient are finite, as far as they were measured."""
    figures = (step.measures.loss, step.measures.gradient_norm)
    return all(figure is None or isfinite(figure) for figure in figures) and all(p.gradient != "non-finite" for p in step.parameters)


def merged(recorded: Measures, replayed: Measures) -> Measures:
    """The figures of the replay where it gave any, else those of the recorded step."""
    given = {field.name: getattr(replayed, field.name) for field in fields(Measures)}
    return replace(recorded, **{name: value for name, value in given.items() if value not in (None, "")})


def with_sensitivity(step: Step, replay: Replay) -> Step:
    """The step with S, or with the reason why S has no meaning here."""
    reason = unpermutable(step)
    if reason:
        return replace(step, measures=replace(step.measures, sensitivity_reason=reason))
    trial = replay.run(permuting(StepIndex(step)))
    finite = trial.change is not None and isfinite(trial.change)
    reason = "" if finite else trial.reason or _without_meaning(trial)
    measures = replace(
        step.measures, label_sensitivity=trial.change if finite else None, sensitivity_reason=reason, loss_permuted=trial.loss
    )
    return replace(step, measures=measures, trials=(*step.trials, trial))


def _without_meaning(trial: Trial) -> str:
    if trial.change is not None or (trial.gradient_norm is not None and not isfinite(trial.gradient_norm)):
        return "the gradient is not finite"
    if trial.gradient_norm is None:
        return "no gradient reaches a trainable parameter"
    return "the gradient is zero with the labels and with permuted ones (0/0)"


def unpermutable(step: Step) -> str:
    """Why the labels of this step can't be permuted to any effect; "" if they can."""
    if not step.labels.values:
        return step.labels.reason or "no labels were found"
    if step.measures.sensitivity_reason:
        return step.measures.sensitivity_reason
    if all(_uniform(step, name) for name in step.labels.values):
        return ALL_THE_SAME
    return ""


def _uniform(step: Step, name: str) -> bool:
    value = step.graph.values.get(name)
    figures = value.statistics if value is not None else None
    if value is not None and value.shape and value.shape[0] == 1:
        return True
    # timid: figures of a sample can't show that all entries are the same
    return (
        figures is not None
        and not figures.sampled
        and figures.finite == 1.0
        and figures.minimum is not None
        and figures.minimum == figures.maximum
    )


def perform(step: Step, replay: Replay, tests: Iterable[Test], budget: Budget) -> Iterator[Trial]:
    """The trials that tests ask for, each intervention once, those that a diagnosis depends on first and short ones before long ones, as far as the time allows.

    What could not be tried before is tried again: a step is examined anew where more is known by then, such as the updates that a program makes by hand.
    """
    done = {trial.intervention for trial in step.trials if not trial.reason}
    ordered = sorted(tests, key=lambda test: (not test.required, work(test.intervention)))
    for intervention in dict.fromkeys(test.intervention for test in ordered):
        if intervention in done or not _concerns(step, intervention):
            continue
        yield Trial(intervention, reason="the time for experiments was used up") if budget.spent else replay.run(intervention)


def work(intervention: Intervention) -> int:
    """How many updates the trial makes: a long descent with its controls takes as long as thirty short ones."""
    if not isinstance(intervention, Descend):
        return 1
    return 2 * intervention.steps * (2 if intervention.control else 1)


def _concerns(step: Step, intervention: Intervention) -> bool:
    """Whether everything that the intervention names is in this step."""
    if isinstance(intervention, Descend) and not (intervention.standardise or intervention.activate):
        return True
    named = (
        getattr(intervention, "ops", None)
        or getattr(intervention, "standardise", None)
        or getattr(intervention, "activate", None)
        or getattr(intervention, "values", None)
        or (
            getattr(intervention, "value", ""),
            *(getattr(intervention, field) for field in ("op", "target") if hasattr(intervention, field)),
        )
    )
    return all(name in step.graph.values for name in named)
