"""The way of inputs and labels to the loss, as far as entries are picked, moved and cast alone."""

from collections.abc import Iterator

from whygrad.flow import StepIndex
from whygrad.ir import Op, family

STEPS = ("layout", "cast", "select")


def rows_of(step: StepIndex, name: str) -> tuple[int, ...]:
    """Size along the first axis."""
    return (step.value(name).shape or ())[:1]


def chain(step: StepIndex, name: str) -> list[Op]:
    """The ops that a value went through by picking, reshaping and casting alone."""
    found = []
    while name in step.producer:
        op = step.producer[name][1]
        if family(op.kind) not in STEPS or not op.inputs:
            break
        found.append(op)
        name = op.inputs[0]
    return found


def entering(step: StepIndex, prediction: str) -> Iterator[str]:
    """Data that meet parameters on the way to the prediction."""
    above, held = step.upstream(prediction), step.parameter_of
    for op in step.readers_of_parameters:
        if not above.isdisjoint(op.outputs):
            yield from (
                name for name in op.inputs if name not in step.depends_on_parameters and name not in held and step.value(name).shape
            )
