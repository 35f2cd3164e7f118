"""Steps in which there is a way for the gradient, and nothing comes along it: every entry of every gradient is exactly 0."""

from math import isfinite

from whygrad.flow.changes import began_late
from whygrad.flow.index import Index, StepIndex
from whygrad.ir import Parameter


def motionless(index: Index, steps: tuple[StepIndex, ...]) -> tuple[Parameter, ...]:
    """The parameters whose gradient is exactly 0 in all of these steps, if there are no others that learn and the run never changed one of them.

    Where the program went over to such steps later on, what the first ones had changed says nothing; none with a gradient may follow.

    A loss of 0 has nothing left to learn, and is no such step.
    """
    if not steps or not all(unsolved(step) for step in steps):
        return ()
    found = [p for step in steps for p in step.step.parameters if p.trainable and p.value in step.gets_gradient]
    others = (p for step in steps for p in step.step.parameters if p.trainable and p.gradient in ("finite", "non-finite"))
    if any(p.gradient != "zero" for p in found) or any(others):
        return ()
    if began_late(index, steps[0]):
        after = (p for s in index.steps if s.step.index > steps[-1].step.index for p in s.step.parameters)
        return tuple({p.name: p for p in found}.values()) if not any(p.gradient in ("finite", "non-finite") for p in after) else ()
    known = [index.record.endings.get(p.name) for p in found]
    # timid: what became of a parameter has to be known, since a term of the loss may begin later
    return tuple({p.name: p for p in found}.values()) if all(end is not None and not end.changed for end in known) else ()


def unsolved(step: StepIndex) -> bool:
    """It was differentiated, and its loss is a number other than 0."""
    loss = step.step.measures.loss
    return bool(step.step.differentiated) and loss is not None and isfinite(loss) and loss != 0
