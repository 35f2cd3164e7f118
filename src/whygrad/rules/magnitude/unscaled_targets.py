"""WG506: regression targets of a scale that training can't cope with."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, failure, fresh, supervised
from whygrad.ir import Course, Descend, Op, Value
from whygrad.loss_contracts import REGRESSIONS, target_of
from whygrad.rules import rule
from whygrad.rules.magnitude.scales import course_told, data_of, dataset_of, fell_told, follows, labels_made_at, scale_of, source_of
from whygrad.rules.phrases import distinct, figure, places
from whygrad.rules.remedies import standardised

LARGE = 20.0
"""Root mean square from which targets are looked into; the outputs of a fresh network have about 1."""
HUGE = 100.0
"""Root mean square from which a loss that has not halved after many steps counts as standing still."""
MANY = 40


@rule("WG506", "unscaled-targets", "error", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The targets of a regression are so large that the loss stands still or runs away.

    ## What it finds
    Targets with a root mean square above 20 in a squared, absolute or Huber loss, in a run whose loss does not fall, where a few updates
    on standardised targets make it fall: prices in full, years, timestamps.

    ## Why it matters
    A fresh network puts out numbers around 0. The gradient of a squared error is proportional to the distance, so that the first updates
    are far too large, or, with Adam, thousands of updates are needed only to reach the mean.

    ## When it is fine
    A run whose loss falls is never spoken of, nor is a last layer whose bias was set to the mean of the targets.

    ## How sure
    Measured twice: by the loss over the run, and by a few updates on copies of the parameters with the targets standardised, whose loss
    must fall at least twice as far, for its size, as without. It is an error where the loss ran away, else a warning.

    ## References
    `whygrad explain WG505` (inputs), `WG411` (the rate), `WG216` (targets that the last activation can't reach).
    """
    yield from distinct(one for step in index.steps if supervised(index, step) for one in of_step(index, step))


def of_step(index: Index, step: StepIndex) -> Iterator[Diagnosis]:
    """The targets of one step that may be to blame."""
    course = course_of(index, step)
    failed = failure(course)
    for op, value in targets(step):
        scale = scale_of(value) or 0.0
        if (scale >= LARGE and (failed or fresh(index, step))) or (scale >= HUGE and course is not None and crawls(course)):
            yield diagnosis(index, step, op, value, error=failed == "diverges")


def crawls(course: Course) -> bool:
    """After many steps the loss has not even halved."""
    return course.steps >= MANY and course.start is not None and course.last is not None and course.last > course.start / 2 > 0


def targets(step: StepIndex) -> Iterator[tuple[Op, Value]]:
    """What regressions compare with, as far as labels go into it."""
    for op in step.loss_ops():
        name = target_of(op)
        if op.kind in REGRESSIONS and name is not None and name in step.from_labels:
            origin = step.origin(name)
            yield op, step.value(origin if origin in step.from_labels else name)


def _help(step: StepIndex, value: Value) -> str:
    """What to train on: a data set that hands out pairs can't be assigned to."""
    dataset = dataset_of(step, value)
    on = f"{dataset}.map(lambda x, y: (x, (y - mean) / std))" if dataset else f"({value.written} - mean) / std"
    return f"train on `{on}` with figures of the training set, and undo it on the predictions"


def diagnosis(index: Index, step: StepIndex, op: Op, value: Value, *, error: bool) -> Diagnosis:
    """What is said, where the targets come from."""
    figures = value.statistics
    assert figures is not None
    test = Test(
        Descend(standardise=(value.name,)),
        "with standardised targets the loss falls at least twice as far over a few updates",
        required=True,
    )
    kind = str(step.step.kind)
    return Diagnosis(
        rule="WG506",
        name="unscaled-targets",
        severity="error" if error else "warning",
        confidence="measured",
        message=f"the targets `{value.shown}` reach from {figure(figures.minimum)} to {figure(figures.maximum)}, and the loss {'runs away' if error else 'does not fall'}",
        site=source_of(step, value) or op.site,
        label="the targets come from here",
        related=places((op.site, "the loss compares with them here")),
        evidence=(
            Evidence(
                f"the root mean square of `{value.shown}` is {figure(scale_of(value))}; a fresh network puts out about 1",
                "scale",
                scale_of(value),
            ),
            *fell_told(step, test.intervention, "with the targets standardised"),
            *course_told(course_of(index, step)),
        ),
        help=_help(step, value),
        facts=frozenset({Fact("odd-scale", value.name)}),
        explains=frozenset(
            {*follows(index), Fact("diverges", kind), Fact("stands", kind), *(Fact("non-finite", name) for name in step.losses)}
        ),
        kind=step.step.kind,
        names=(value.shown,),
        remedy=standardised(index, [data_of(step, value)], "targets", test.intervention, labels_made_at(index, step)),
        test=test,
    )
