"""Events of all recorded steps in one row, and what stands between two of them."""

from collections.abc import Iterator
from typing import NamedTuple

from whygrad.flow.index import Index, StepIndex
from whygrad.ir import Event, Op, Site

UPDATES = ("optimizer_step", "update")


class Moment(NamedTuple):
    """An event, with the step that it happened in."""

    step: StepIndex
    event: Event


def timeline(index: Index) -> tuple[Moment, ...]:
    """Every event of every recorded step, in order."""
    return tuple(Moment(step, event) for step in index.steps for event in step.step.events)


def place(site: Site | None) -> tuple[str, int] | None:
    """File and line, to tell whether two things happened at one place."""
    return (site.file, site.line) if site is not None else None


def ops_between(step: StepIndex, first: Event, second: Event) -> tuple[Op, ...]:
    """The ops that ran after one event and before another of the same step."""
    return step.graph.ops[first.at : second.at]


def concerns(event: Event, name: str, optimizer: str) -> bool:
    """Whether an update is that of this parameter, which this optimizer holds."""
    if event.kind == "update":
        return name in event.targets
    return event.kind == "optimizer_step" and (optimizer in event.targets or not event.targets)


def moves(step: StepIndex, event: Event) -> bool:
    """Whether an event is an update: an optimizer's, or one by hand that moved something. Moving a model to a device writes the same values."""
    if event.kind != "update":
        return event.kind == "optimizer_step"
    norms = [p.update_norm for p in step.step.parameters if p.name in event.targets]
    return not norms or any(norm != 0.0 for norm in norms)


def updates_of(step: StepIndex, name: str, optimizer: str) -> Iterator[Event]:
    """The updates of one parameter in a step."""
    return (event for event in step.events(*UPDATES) if concerns(event, name, optimizer))


def reads_gradients(step: StepIndex, ops: tuple[Op, ...]) -> bool:
    """Whether some of these ops look at the gradient of a parameter."""
    return any(step.value(name).role == "gradient" for op in ops for name in op.inputs)
