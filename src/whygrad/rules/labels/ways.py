"""The way of inputs and labels to the loss, as far as entries are picked, moved and cast alone."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.flow import StepIndex
from whygrad.ir import Op, family

STEPS = ("layout", "cast", "select")


@dataclass(frozen=True, slots=True)
class Way:
    """The ops that a picture went through, as far as each of its entries stays one."""

    name: str
    ops: list[Op]
    whole: bool
    """All the way to where it came in."""


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


def way(step: StepIndex, name: str) -> Way:
    """The way of a picture, as far back as it is seen."""
    given, found = name, list[Op]()
    while name in step.producer:
        op = step.producer[name][1]
        if not op.inputs:
            break
        if family(op.kind) not in STEPS and not _by_entries(step, op):
            return Way(given, found, whole=False)
        found.append(op)
        name = op.inputs[0]
    return Way(given, found, whole=True)


def _by_entries(step: StepIndex, op: Op) -> bool:
    """Brightness, noise and scaling change what the entries are, and not where they stand."""
    alike = step.value(op.inputs[0]).shape == step.value(op.output).shape
    return family(op.kind) in ("arithmetic", "step") and op.kind not in ("matmul", "linalg", "cumsum") and alike
