"""WG512: the loss stays where a constant guess would put it."""

from collections.abc import Iterator
from math import isfinite, log

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import ENOUGH, constant_guesses, course_of, even_guesses, failure, is_whole, still_falls, supervised
from whygrad.ir import Course, Op
from whygrad.loss_contracts import target_of
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, figure

NEAR = 0.05
"""Share of the value of a constant guess within which the last losses must lie."""


@rule("WG512", "loss-at-chance", "note", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The loss stays where a constant guess would put it, and nothing else that was looked at says why.

    ## What it finds
    A cross-entropy whose last values over the run lie within 5 % of the logarithm of the number of classes, where it also began. A loss over classes, or on numbers, that ends more
    than 5 % above what the best answer costs that is the same for every example, wherever it began.

    ## Why it matters
    Nothing about the labels was learnt. It is said only where no other rule explains it: look at the data first.

    ## When it is fine
    In the first few steps, while the loss still falls, and with labels that can't be told from the inputs. Where all targets are one number, as a generator's are, the rule is silent.

    ## How sure
    Measured over the run. A note: it names no cause.

    ## References
    Karpathy, "A Recipe for Training Neural Networks": verify the loss at the start, overfit one batch.
    """
    for step in index.steps[-1:]:
        course = course_of(index, step)
        if course is not None and supervised(index, step) and not of_one_kind(index, step):
            standing = failure(course) == "stands"
            found = [diagnosis(step, op, course, chance) for op, chance in guesses(step) if standing and near(course, chance)]
            yield from distinct(found or unlearnt(index, step, course))


def of_one_kind(index: Index, step: StepIndex) -> bool:
    """All targets are one number, as an adversary is told that all it sees is made: a constant answer costs nothing there, and the loss is a matter of who is ahead."""
    losses = [(seen, op) for seen in index.kinds[step.step.kind] for op in seen.loss_ops()]
    figures = [seen.value(name).statistics for seen, op in losses if (name := target_of(op)) is not None]
    return bool(figures) and all(one is not None and one.minimum is not None and one.minimum == one.maximum for one in figures)


def unlearnt(index: Index, step: StepIndex, course: Course) -> Iterator[Diagnosis]:
    """A run that ends worse than the best answer that is the same for every example, however far its loss has fallen."""
    costs = [*constant_guesses(index, step), *even_guesses(step)]
    op = next((op for op in step.loss_ops() if is_whole(step, op) and target_of(op) in step.from_labels), None)
    if op is None or not costs or course.steps < ENOUGH or course.last is None or course.non_finite is not None:
        return
    # timid: a guess for all classes alike costs more than one by their shares, which may not be known
    if course.last > (1 + NEAR) * max(costs) and isfinite(course.last) and not still_falls(course):
        yield _said(
            step, op, course, max(costs),
            f"the loss ends at {figure(course.last)}, and an answer that is the same for every example costs {figure(max(costs))} at most",
            "ends worse than a constant",
        )  # fmt: skip


def guesses(step: StepIndex) -> Iterator[tuple[Op, float]]:
    """Losses over classes, and what an even guess costs."""
    for op in step.loss_ops():
        shape = step.value(op.inputs[0]).shape if op.inputs else None
        name = target_of(op)
        axis = op.attributes.get("axis")
        if op.kind == "cross_entropy" and name in step.from_labels and shape and len(shape) > 1 and is_whole(step, op):
            classes = shape[axis if isinstance(axis, int) and axis < len(shape) else 1]
            if classes > 1:
                yield op, log(classes)


def near(course: Course, chance: float) -> bool:
    """The losses began and ended at chance."""
    return all(loss is not None and abs(loss - chance) <= NEAR * chance for loss in (course.first, course.last))


def diagnosis(step: StepIndex, op: Op, course: Course, chance: float) -> Diagnosis:
    """What is said of a loss that stands."""
    return _said(
        step, op, course, chance, f"the loss stays at {figure(course.last)}, where an even guess would put it", "this loss does not fall"
    )


def _said(step: StepIndex, op: Op, course: Course, chance: float, message: str, label: str) -> Diagnosis:
    """What is said, at the loss."""
    what = "an even guess" if course.last is not None and near(course, chance) else "the best constant answer"
    return Diagnosis(
        rule="WG512",
        name="loss-at-chance",
        severity="note",
        confidence="measured",
        message=message,
        site=op.site,
        label=label,
        evidence=(
            Evidence(
                f"{what} costs {figure(chance)}{' at most' if what != 'an even guess' else ''}; over {course.steps} steps the loss went from {figure(course.first)} to {figure(course.last)}",
                "loss",
                course.last,
            ),
        ),
        help="try to fit a single batch: if that works, look at the data and the rate, else at the model",
        facts=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=("loss",),
    )
