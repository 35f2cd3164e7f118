"""Values that were written to in place: which ops wrote, and in what order."""

from dataclasses import dataclass

from whygrad.flow.index import StepIndex
from whygrad.ir import Op, Value


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A value and the ops that changed it in place afterwards, in order."""

    value: Value
    """As it was first."""
    maker: Op | None
    """The op that made it; None for what came from outside the step."""
    writes: tuple[Op, ...]
    readers: tuple[Op, ...]
    """Other ops that read it before the first write."""


def overwritten(step: StepIndex) -> tuple[Overwritten, ...]:
    """Every value of a step that was changed in place, with all that changed it."""
    chains: dict[str, list[tuple[Op, str]]] = {}
    root: dict[str, str] = {}
    for op in step.graph.ops:
        if op.outputs and op.inputs and _writes(op):
            first = root.setdefault(op.inputs[0], op.inputs[0])
            root[op.outputs[0]] = first
            chains.setdefault(first, []).append((_writer(step, op), op.inputs[0]))
    return tuple(_overwritten(step, name, tuple(op for op, _ in chain)) for name, chain in chains.items())


def _writes(op: Op) -> bool:
    """It changes its first input: it says so, or it is a write through a view."""
    return bool(op.attributes.get("inplace")) or op.kind == "write"


def _writer(step: StepIndex, op: Op) -> Op:
    """The call that did it: a write through a view was seen at the view."""
    made = step.producer.get(op.inputs[1]) if op.native == "alias" and len(op.inputs) > 1 else None
    return made[1] if made is not None else op


def _overwritten(step: StepIndex, name: str, writes: tuple[Op, ...]) -> Overwritten:
    made = step.producer.get(name)
    readers = tuple(op for op in step.consumers.get(name, ()) if op not in writes and not _writes(op))
    return Overwritten(step.value(name), made[1] if made is not None else None, writes, readers)
