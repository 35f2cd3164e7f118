"""Terms of a loss that are computed from the parameters alone, such as Keras' regularisers and a weight decay that is written out."""

from collections.abc import Iterator
from math import isfinite

from whygrad.flow.index import StepIndex

LITTLE = 0.02
"""Share of the loss that penalties may be and still not count: less than half of what a loss must fall by to have moved."""


def alone(step: StepIndex, name: str) -> bool:
    """A number computed from parameters and nothing else but constants."""
    if name not in step.gets_gradient or step.value(name).shape:
        return False
    held = {p.value for p in step.step.parameters}
    others = step.upstream(name) - step.depends_on_parameters - held
    return all(given in step.producer and step.producer[given][1].kind == "create" for given in others)


def stacked(step: StepIndex, name: str) -> tuple[str, ...]:
    """The numbers that this value adds up, where they were stacked before; Keras adds the losses of its layers so."""
    op = step.producer[name][1] if name in step.producer else None
    made = step.producer.get(op.inputs[0]) if op is not None and op.kind == "sum" and op.inputs else None
    numbers = made[1].inputs if made is not None and made[1].kind in ("concat", "stack") else ()
    return numbers if all(not step.value(one).shape for one in numbers) and step.value(name).shape == () else ()


def terms(step: StepIndex, name: str) -> Iterator[str]:
    """What is added up to this number; a penalty is one term, however it was added up itself."""
    made = step.producer.get(name)
    added = made[1].inputs if made is not None and made[1].kind == "add" and len(made[1].inputs) > 1 else stacked(step, name)
    if not added or alone(step, name) or any(step.value(one).shape for one in added):
        yield name
        return
    for one in added:
        yield from terms(step, one)


def penalised(step: StepIndex) -> frozenset[str]:
    """Parameters of which the loss has a term of its own: their gradient is not the data's alone."""
    found = (term for loss in step.losses for term in terms(step, loss) if alone(step, term))
    return frozenset[str]().union(*(step.upstream(term) for term in found)) & {p.value for p in step.step.parameters}


def data_term(step: StepIndex, loss: str) -> str | None:
    """The one term of the loss that is no penalty, where the penalties are too small to count; the loss itself where nothing is added to it."""
    parts = tuple(terms(step, loss))
    others = [name for name in parts if not alone(step, name)]
    if len(others) != 1:
        return None
    sizes = {name: found.mean for name in parts if (found := step.value(name).statistics) is not None and found.mean is not None}
    if len(parts) == 1:
        return others[0]
    if len(sizes) < len(parts) or not all(isfinite(size) for size in sizes.values()):
        return None
    added = sum(abs(size) for name, size in sizes.items() if name != others[0])
    return others[0] if added <= LITTLE * abs(sizes[others[0]]) else None
