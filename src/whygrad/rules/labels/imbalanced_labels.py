"""WG113: a constant guess already reaches the loss seen."""

from collections.abc import Iterator
from math import isfinite

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import ENOUGH, course_of
from whygrad.flow.guesses import Guess, constant_guess
from whygrad.ir import Course, Op
from whygrad.rules import rule
from whygrad.rules.phrases import figure, percent

MAJORITY = 0.8
"""Share of the larger of two classes from which labels are called imbalanced: accuracy then looks good with no learning at all."""
NEAR = 0.05
"""Share of the value of a constant guess within which the last losses must lie; a batch of 64 moves it by as much."""


@rule("WG113", "imbalanced-labels", "note", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Most labels are of one class, and a constant guess already reaches the loss seen.

    ## What it finds
    Two classes of which one has 80 % and more of the labels seen, in a run whose last losses lie within 5 % of what a guess costs that gives every example the same probability.

    ## Why it matters
    The accuracy looks good, 80 % and more, and the network has learnt nothing but how common each class is.

    ## When it is fine
    Imbalance alone is no fault, and nothing is said where the loss goes below the constant guess. With labels that can't be told from the inputs nothing better can be had.

    ## How sure
    Measured over the run. A note: it names what the loss is to be compared with, and no cause.

    ## References
    He and Garcia, "Learning from Imbalanced Data", 2009.
    """
    for steps in index.kinds.values():
        for op in steps[-1].loss_ops():
            course, guess = course_of(index, steps[-1]), constant_guess(steps, op)
            if course is not None and guess is not None and guess.share >= MAJORITY and is_whole(steps[-1], op) and reached(course, guess):
                yield diagnosis(steps[-1], op, course, guess)
                break


def is_whole(step: StepIndex, op: Op) -> bool:
    """What it makes is the loss, or the mean of it over all examples is."""
    readers = [reader for reader in step.consumers.get(op.output, ()) if not step.shapes_loss.isdisjoint(reader.outputs)]
    mean = readers[0] if len(readers) == 1 and readers[0].kind == "mean" else op
    return any(name in step.losses for name in mean.outputs)


def reached(course: Course, guess: Guess) -> bool:
    """The run ended where the constant guess is."""
    if course.steps < ENOUGH or course.last is None or not isfinite(course.last):
        return False
    return abs(course.last - guess.loss) <= NEAR * guess.loss


def diagnosis(step: StepIndex, op: Op, course: Course, guess: Guess) -> Diagnosis:
    """What is said, at the loss."""
    return Diagnosis(
        rule="WG113",
        name="imbalanced-labels",
        severity="note",
        confidence="measured",
        message=f"{percent(guess.share)} of the labels `{guess.value.shown}` are of one class, and the loss is where a constant guess would put it",
        site=op.site,
        label="no better than a constant guess",
        evidence=(
            Evidence(
                f"a constant guess costs {figure(guess.loss)}, with {percent(guess.share, 1)} of {guess.rows:,} labels seen in one class; over {course.steps} steps the loss went from {figure(course.first)} to {figure(course.last)}",
                "loss",
                course.last,
            ),
        ),
        help="compare with the constant guess instead of with accuracy; weigh the classes or sample them evenly",
        facts=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(guess.value.shown,),
    )
