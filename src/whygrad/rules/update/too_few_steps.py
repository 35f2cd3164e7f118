"""WG420: the loss still falls steadily when the run ends."""

from collections.abc import Iterator
from math import isfinite, sqrt

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, failure, supervised
from whygrad.ir import Course
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, figure, percent

ENOUGH = 80
"""Losses that must have been seen: the means that are compared are over eight each, and shorter runs are tries."""
STEADY = 0.2
"""Share of the whole fall that the last quarter must have brought: a straight line brings 0.25, a run that levels off, by an exponential to a tenth of the way, 0.08."""
SUDDEN = 0.5
"""Share above which the fall came all at once at the end, and says nothing of how it goes on."""
NOISE = 3.0
"""How many times the noise of the two means the fall between them must be: one in a thousand by chance."""
WINDOW = 8


@rule("WG420", "too-few-steps", "note")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The loss still falls as steadily at the end of the run as before: it ended too early to say what the model can learn.

    ## What it finds
    Supervised runs of 80 steps and more whose last quarter brought a fifth or more of all that the loss fell; a run that nears its end falls ever less.

    ## Why it matters
    Such a run says little about the model: with more steps, or a larger rate, it would go on.

    ## When it is fine
    Short tries, and runs that are stopped on purpose. Nothing is wrong with the gradient.

    ## How sure
    Measured over the run: means of eight losses, with their noise. A note.

    ## References
    `whygrad explain WG412` (steps that are too small to get anywhere).
    """
    for step in index.steps[-1:]:
        course = course_of(index, step)
        if course is not None and supervised(index, step) and failure(course) is None and falling(course):
            yield from distinct([diagnosis(step, course)])


def falling(course: Course) -> bool:
    """The last quarter brought as much as a straight line would, beyond the noise."""
    known = (course.first, course.late, course.last, course.noise)
    first, late, last, noise = (0.0 if number is None else number for number in known)
    if course.steps < ENOUGH or None in known or not all(map(isfinite, (first, late, last, noise))):
        return False
    if not last < late < first or late - last > SUDDEN * (first - last):
        return False
    return late - last >= max(STEADY * (first - last), NOISE * noise * sqrt(2 / WINDOW))


def diagnosis(step: StepIndex, course: Course) -> Diagnosis:
    """What is said, at the backward."""
    first, late, last = (number or 0.0 for number in (course.first, course.late, course.last))
    share = (late - last) / (first - last)
    return Diagnosis(
        rule="WG420",
        name="too-few-steps",
        severity="note",
        confidence="measured",
        message=f"the loss still falls steadily when the run ends: its last quarter brought {percent(share)} of the fall",
        site=course.site,
        label="this loss is on its way",
        evidence=(
            Evidence(
                f"over {course.steps} steps the loss went from {figure(first)} to {figure(late)} in three quarters of the run, and to {figure(last)} in the last",
                "share_of_fall",
                share,
            ),
        ),
        help="run for longer before you judge the model, or try a larger rate",
        kind=step.step.kind,
        step=step.step.index,
        names=("run",),
    )
