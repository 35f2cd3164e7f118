"""Parameters that are a copy, in another precision, of what an optimizer updates."""

from collections import Counter
from collections.abc import Iterator, Sequence

from whygrad.flow.index import Index, StepIndex
from whygrad.ir import Optimizer, Parameter


def cast_copies(index: Index) -> Iterator[tuple[StepIndex, Optimizer, list[Parameter]]]:
    """Optimizers whose updates went to weights of other precision than the gradient was taken by, with the copies that stood still all the run long."""
    for optimizer in index.record.optimizers:
        step = next((s for s in index.steps if any(optimizer.name in event.targets for event in s.events("optimizer_step"))), None)
        still = [p for p in step.step.parameters if p.trainable and p.gradient != "none" and _stands(index, p)] if step is not None else []
        if optimizer.orphans and step is not None and len(index.steps) > 1 and _cast(step, optimizer, still):
            yield step, optimizer, still


def _stands(index: Index, parameter: Parameter) -> bool:
    ending = index.record.endings.get(parameter.name)
    return ending is not None and not ending.changed


def _cast(step: StepIndex, optimizer: Optimizer, parameters: Sequence[Parameter]) -> bool:
    """All of them have the shapes of the arrays that the optimizer updates, and none has the dtype of any."""
    own, theirs = ([text.partition("[") for text in types] for types in ([step.value(p.value).type for p in parameters], optimizer.orphans))
    apart = {dtype for dtype, _, _ in own}.isdisjoint(dtype for dtype, _, _ in theirs)
    return bool(own) and apart and Counter(shape for _, _, shape in own) == Counter(shape for _, _, shape in theirs)
