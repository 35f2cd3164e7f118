"""How large values are, and what a descent showed, as rules about scales say it."""

from collections.abc import Iterator
from math import hypot, isfinite

from whygrad.diagnosis import Evidence
from whygrad.flow import StepIndex
from whygrad.flow.trials import fall, trial_of
from whygrad.ir import Course, Intervention, Value
from whygrad.rules.phrases import figure

EXTREME = 1e6
"""Root mean square from which squares of gradients come near the end of float32."""


def scale_of(value: Value) -> float | None:
    """Root mean square of a value; None where it is unknown or 0."""
    figures = value.statistics
    if figures is None or figures.mean is None or figures.std is None:
        return None
    scale = hypot(figures.mean, figures.std)
    return scale if isfinite(scale) and scale > 0 else None


def fell_told(step: StepIndex, intervention: Intervention, how: str) -> Iterator[Evidence]:
    """By how much the loss fell over a few updates on copies, with the change and without."""
    trial = trial_of(step.step, intervention)
    if trial is None or trial.reason:
        return
    changed, plain = fall(trial.losses), fall(trial.plain)
    if changed is not None:
        without = "rises" if plain is None or plain < 0 else f"falls by {plain:.1%}"
        yield Evidence(
            f"{how}, {len(trial.losses) - 1} updates on copies make the loss fall by {changed:.0%}; without, it {without}", "fall", changed
        )


def course_told(course: Course | None) -> Iterator[Evidence]:
    """How the loss went over the run."""
    if course is None or course.first is None:
        return
    if course.non_finite is not None:
        yield Evidence(
            f"over the run the loss went from {figure(course.first)} to NaN or infinity, at step {course.non_finite}", "loss", course.last
        )
    elif course.last is not None:
        top = (
            f", by way of {figure(course.highest)}"
            if course.highest is not None and course.highest > 2 * max(course.first, course.last)
            else ""
        )
        yield Evidence(
            f"over {course.steps} steps the loss went from {figure(course.first)} to {figure(course.last)}{top}", "loss", course.last
        )
