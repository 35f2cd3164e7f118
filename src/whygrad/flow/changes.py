"""Steps that were recorded because something had changed since the first ones."""

from whygrad.flow.index import Index, StepIndex
from whygrad.ir import Site


def backward_site(step: StepIndex) -> Site | None:
    """Where the step's gradient was asked for."""
    return next((event.site for event in step.events("backward")), None)


def began_late(index: Index, step: StepIndex) -> bool:
    """Steps of the same place came before, of another kind: the program has gone over to this one."""
    place, own = backward_site(step), step.step
    before = (s for s in index.steps if s.step.index < own.index and s.step.kind != own.kind)
    return place is not None and any(backward_site(s) == place for s in before)
