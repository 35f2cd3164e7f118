"""The part of WG505 that tells of inputs whose scale changes in the course of the run, which ends in a loss that has run away."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, failure
from whygrad.ir import Batches, Value
from whygrad.rules.magnitude.scales import course_told, follows, source_of
from whygrad.rules.phrases import figure, places

TIMES = 30.0
"""
How many times the largest input of the first steps later ones must reach. Of 36 sound programs in which both are known none reaches 1.6; batches of normal numbers
reach 2.1 at most in 400 draws, of Student's t with three degrees of freedom 27 in 99 of 100; data in other units, 255 and more.
"""
LARGE = 30.0
"""Size from which an input counts at all: what is standardised has few entries above 5."""


@dataclass(frozen=True, slots=True)
class Outgrown:
    """An input that is one size in the first recorded step, and another one later."""

    step: StepIndex
    value: Value
    first: float
    """Largest size of an entry then."""
    later: float
    handed: Batches | None
    """What the loader of the larger ones handed out; None where a recorded step shows them."""
    at: tuple[StepIndex, Value] | None


def outgrown(index: Index, read: dict[int, tuple[Value, ...]]) -> Iterator[Diagnosis]:
    """One for the first input that shows it; `read`: by the number of a step, the inputs that its layers read."""
    for step in index.steps[:1]:
        course = course_of(index, step)
        if course is None or failure(course) != "diverges":
            return
        for value in read.get(step.step.index, ()):
            found = larger_later(index, step, value, read)
            if found is not None:
                yield diagnosis(index, found)
                return


def larger_later(index: Index, step: StepIndex, value: Value, read: dict[int, tuple[Value, ...]]) -> Outgrown | None:
    """What the same layers read later, in a recorded step or in batches that were only looked at, if that is far larger."""
    first = _largest(value)
    if first is None or not first < LARGE:
        return None
    bound = max(TIMES * first, LARGE)
    for other in index.steps:
        for same in read.get(other.step.index, ()):
            later = _largest(same)
            if (
                other is not step
                and same.shape
                and value.shape
                and same.shape[1:] == value.shape[1:]
                and later is not None
                and later >= bound
            ):
                return Outgrown(step, value, first, later, _handed(index, same.name), (other, same))
    own = _handed(index, value.name)
    alike = (one for one in index.record.batches if own is not None and (one.path, one.site) == (own.path, own.site))
    for one in alike:
        size = max(abs(one.minimum or 0.0), abs(one.maximum or 0.0))
        if size >= bound:
            return Outgrown(step, value, first, size, one, None)
    return None


def _handed(index: Index, name: str) -> Batches | None:
    return next((one for one in index.record.batches if name in one.values), None)


def _largest(value: Value) -> float | None:
    figures = value.statistics
    if figures is None or figures.minimum is None or figures.maximum is None or figures.finite != 1.0:
        return None
    return max(abs(figures.minimum), abs(figures.maximum))


def diagnosis(index: Index, found: Outgrown) -> Diagnosis:
    """What is said, where the larger ones come from."""
    step, value = found.step, found.value
    site = (source_of(*found.at) if found.at else None) or (found.handed.site if found.handed else None) or source_of(step, value)
    when = f"in step {found.at[0].step.index}" if found.at else "in later batches"
    kinds = [str(kind) for kind in index.kinds]
    return Diagnosis(
        rule="WG505",
        name="unscaled-inputs",
        severity="error",
        confidence="measured",
        message=f"the input `{value.shown}` reaches {figure(found.later)} {when}, where it reached {figure(found.first)} at first, and the loss runs away",
        site=site,
        label="hands out inputs of another size than at first",
        related=places((next((op.site for op in step.consumers.get(value.name, ()) if op.site), None), "a layer reads them as they are")),
        evidence=(
            Evidence(
                f"the largest entry was {figure(found.first)} in step {step.step.index}, and is {figure(found.later)} {when}: {found.later / found.first:,.0f} times as large",
                "times",
                found.later / found.first,
            ),
            *course_told(course_of(index, step)),
        ),
        help="bring all data to one unit before they are put together; standardise them with figures of the training set",
        facts=frozenset({Fact("odd-scale", value.name)}),
        explains=frozenset(
            {*follows(index), *(Fact(what, kind) for kind in kinds for what in ("diverges", "stands", "no-gradient")), *_spoilt(index)}
        ),
        kind=step.step.kind,
        step=found.at[0].step.index if found.at else None,
        names=(value.shown,),
    )


def _spoilt(index: Index) -> Iterator[Fact]:
    """What comes of the first update on them."""
    for step in index.steps:
        yield from (Fact(what, p.name) for p in step.step.parameters for what in ("unmoved", "no-gradient", "non-finite"))
        yield from (Fact("non-finite", name) for name in step.losses)
