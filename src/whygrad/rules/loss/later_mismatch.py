"""The part of WG209 about a step that was not recorded and raised: its batch has fewer inputs than labels, or more, and those before had as many."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, consequences, failed_op, gist, matching
from whygrad.ir import Value

_SIZES = r"[\[(]([\d, ]+)[\])]"
_SHAPES = re.compile(rf"[Ii]ncompatible shapes(?: for broadcasting)?: {_SIZES}(?: vs\.|,) {_SIZES}")
"""What TensorFlow and JAX say."""
_ROWS = re.compile(r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at non-singleton dimension 0")
"""What PyTorch says."""


def later_mismatches(index: Index) -> Iterator[Diagnosis]:
    """One for each exception at a line that brought predictions and labels together in the steps before."""
    for failure, rows in (*_told(index, _SHAPES), *_told(index, _ROWS)):
        known = failure.step is not None and failed_op(failure.step) is not None
        found = next(_met(index, failure), None) if rows[0] != rows[1] and not known else None
        if found is not None:
            yield _about(failure, rows, *found)


def _told(index: Index, pattern: "re.Pattern[str]") -> Iterator[tuple[Failure, tuple[int, int]]]:
    for failure, match in matching(index, pattern):
        sizes = [[int(size) for size in part.split(",") if size.strip()] for part in match.groups()]
        # timid: shapes that differ elsewhere too are another fault
        if all(sizes) and sizes[0][1:] == sizes[1][1:]:
            yield failure, (sizes[0][0], sizes[1][0])


def _met(index: Index, failure: Failure) -> Iterator[tuple[StepIndex, tuple[Value, Value]]]:
    """The op of a recorded step at that line which has as many rows on both sides, of which one is predicted."""
    place = failure.site.line_of_code if failure.site is not None else None
    for step in reversed(index.steps):
        for op in step.graph.ops:
            if place is None or op.site is None or op.site.line_of_code != place or len(op.inputs) < 2:  # noqa: PLR2004 - two sides
                continue
            one, other = (step.value(name) for name in op.inputs[:2])
            predicted = [value.name in step.depends_on_parameters for value in (one, other)]
            rows = [(value.shape or (0,))[0] for value in (one, other)]
            if sum(predicted) == 1 and rows[0] == rows[1] > 1:
                yield step, (one, other)


def _about(failure: Failure, rows: tuple[int, int], step: StepIndex, sides: tuple[Value, Value]) -> Diagnosis:
    named = [_named(step, value) for value in sides]
    return Diagnosis(
        "WG209",
        "batch-size-mismatch",
        "error",
        "proved",
        f"{named[0]} has {rows[0]:,} rows and {named[1]} {rows[1]:,} in a later batch: inputs and labels differ in number",
        site=failure.site,
        label=f"{rows[0]:,} rows against {rows[1]:,}",
        evidence=(
            Evidence(f"in step {step.step.index} both had {(sides[0].shape or (0,))[0]:,} rows here"),
            Evidence(f"{failure.type}: {gist(failure.message)[:120]}", "exception"),
        ),
        help="bring inputs and labels to the same number before they are cut into batches (of n values there are n - T windows of T with a value behind them)",
        explains=consequences(failure, failure.step),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(value.shown for value in sides),
    )


def _named(step: StepIndex, value: Value) -> str:
    return f"`{value.called}`" if value.called else "the prediction" if value.name in step.depends_on_parameters else "the labels"
