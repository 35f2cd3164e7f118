"""How large values are, and what a descent showed, as rules about scales say it."""

import re
from collections.abc import Iterator
from math import hypot, inf, isfinite

from whygrad.diagnosis import Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.births import origin
from whygrad.flow.origins import decided_at
from whygrad.flow.trials import fall, jumped, lies_below, trial_of
from whygrad.ir import Course, Intervention, Site, Value
from whygrad.rules.phrases import figure, percent
from whygrad.rules.remedies import Data

EXTREME = 1e6
"""Root mean square from which squares of gradients come near the end of float32."""


def scale_of(value: Value) -> float | None:
    """Root mean square of a value; None where it is unknown or 0."""
    figures = value.statistics
    if figures is None or figures.mean is None or figures.std is None:
        return None
    scale = hypot(figures.mean, figures.std)
    return scale if isfinite(scale) and scale > 0 else None


_WORDED = 0.01
"""Falls below this are told by the losses: as a percentage they would read as none."""

_ELEMENT = re.compile(r"([^\[({].*)\[[01]\]")
"""An element of what has a name or is called; `[a, b][1]` is one of several targets, written out."""


def dataset_of(step: StepIndex, value: Value) -> str:
    """The data set that a training loop took batches from, by its name; "" where the program names the values themselves."""
    element = _ELEMENT.fullmatch(value.written)
    handed = next((event.site for event in step.events("batch") if value.name in event.targets and event.site), None)
    if element is None or handed is None or value.written in handed.text or element[1] not in handed.text:
        return ""
    return element[1]


def made_at(step: StepIndex, value: Value) -> Site | None:
    """Where the step, or what was recorded before it, made a value, or the whole data set that it was cut out of."""
    made = (step.producer.get(name) for name in (step.origin(value.name, ("layout", "cast", "select")), value.name))
    return next((op.site for _, op in (found for found in made if found is not None) if op.site is not None), None)


def source_of(step: StepIndex, value: Value) -> Site | None:
    """Where a value, or the whole data set that it was cut out of, was made or handed out."""
    for name in (step.origin(value.name, ("layout", "cast", "select")), value.name):
        made = step.producer.get(name)
        if made is not None and made[1].site is not None:
            return made[1].site
        handed = next((event.site for event in step.events("batch") if name in event.targets and event.site), None)
        if handed is not None:
            return handed
    return None


def data_of(step: StepIndex, value: Value) -> Data:
    """Where a value was made, and where the step reads it first under which name."""
    first = step.value(step.origin(value.name, ("layout", "cast")))
    reader = next((op for op in step.consumers.get(first.name, ()) if op.site is not None), None)
    return Data(source_of(step, value), reader.site if reader is not None else None, first.called or value.called)


def labels_made_at(index: Index, step: StepIndex) -> Iterator[Site | None]:
    """Where the labels are made, by the record and by the source."""
    for name in step.step.labels.values:
        yield source_of(step, step.value(name))
        yield from decided_at(index, name)


def fell_told(step: StepIndex, intervention: Intervention, how: str, *, below: bool = False) -> Iterator[Evidence]:
    """By how much the loss fell over a few updates on copies, with the change and without."""
    trial = trial_of(step.step, intervention)
    if trial is None or trial.reason:
        return
    changed, plain = fall(trial.losses), fall(trial.plain)
    if below and lies_below(trial):
        yield Evidence(
            f"{how}, {len(trial.losses) - 1} updates on copies take the loss from {figure(trial.losses[0])} to {figure(trial.losses[-1])}; without, it reaches {figure(min(trial.plain))}",
            "loss",
            trial.losses[-1],
        )
    elif changed is not None and plain == -inf and 0 < changed < _WORDED:
        yield Evidence(
            f"{how}, {len(trial.losses) - 1} updates on copies take the loss from {trial.losses[0]:g} to {trial.losses[-1]:g}, down at each; without, it runs away at once",
            "fall",
            changed,
        )
    elif changed is not None:
        without = "rises" if plain is None or plain < 0 else f"falls by {percent(plain, 1)}"
        if jumped(trial.plain) and plain is not None and plain >= 0:
            without = f"jumps to {figure(max(trial.plain[1:]))} on its way"
        fell = f"make the loss fall by {percent(changed)}"
        if changed > 1:
            fell = f"take the loss from {figure(trial.losses[0])} to {figure(trial.losses[-1])}"
        yield Evidence(
            f"{how}, {len(trial.losses) - 1} updates on copies {fell}; without, it {without}",
            "fall",
            changed,
        )


def follows(index: Index) -> Iterator[Fact]:
    """What comes of numbers out of scale, beside the loss: overflows later on, dead and saturated units."""
    yield from (Fact("dead", name) for other in index.steps for name in (*other.values, *(p.name for p in other.step.parameters)))
    found = origin(index)
    if found is not None and found.birth.stage in ("forward", "backward") and found.op is not None:
        yield from (Fact("non-finite", name) for name in found.op.outputs)
    yield from (Fact("flat", name) for other in index.steps for name in other.values)


def course_told(course: Course | None) -> Iterator[Evidence]:
    """How the loss went over the run; of a single loss there is nothing to tell."""
    if course is None or course.start is None or course.steps <= 1:
        return
    if course.non_finite is not None:
        yield Evidence(
            f"over the run the loss went from {figure(course.start)} to NaN or infinity, at step {course.non_finite}", "loss", course.last
        )
    elif course.last is not None:
        top = (
            f", by way of {figure(course.highest)}"
            if course.highest is not None and course.highest > 2 * max(course.start, course.last)
            else ""
        )
        yield Evidence(
            f"over {course.steps} steps the loss went from {figure(course.start)} to {figure(course.last)}{top}", "loss", course.last
        )
