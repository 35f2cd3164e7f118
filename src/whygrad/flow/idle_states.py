"""States of loops written out that no turn changes: each turn reads the zeros that the loop began with."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.flow.index import Index, StepIndex
from whygrad.ir import Op, Parameter, family

WEIGHING = frozenset(("matmul", "linear"))
"""Kinds of op by which a parameter weighs a state; where it only adds, it has a gradient."""
TURNS = 3
"""Turns that must read the same state; two places may be two layers."""


@dataclass(frozen=True, slots=True)
class IdleState:
    """A state of zeros, and the parameters that weigh nothing else."""

    state: str
    parameters: tuple[Parameter, ...]
    turns: int
    op: Op
    """One of those that weigh it."""


def idle_states(step: StepIndex) -> Iterator[IdleState]:
    """For each such state of a step, with all parameters whose gradient is therefore zero."""
    found: dict[str, list[tuple[Parameter, list[Op]]]] = {}
    for parameter in step.step.parameters:
        if not parameter.trainable or parameter.gradient != "zero":
            continue
        readers = list(_readers(step, parameter.value))
        states = {name for op in readers for name in op.inputs if name in step.values and zeros(step, name)}
        if len(readers) >= TURNS and len(states) == 1 and all(op.kind in WEIGHING and not states.isdisjoint(op.inputs) for op in readers):
            found.setdefault(states.pop(), []).append((parameter, readers))
    for state, group in found.items():
        yield IdleState(state, tuple(parameter for parameter, _ in group), len(group[0][1]), group[0][1][0])


def lasting(index: Index) -> Iterator[tuple[StepIndex, IdleState]]:
    """
    Those whose parameters have no other gradient in any recorded step.

    A memory that comes from outside of the step may be empty at first and filled later, unless the parameters are at the end what they were.
    """
    for step in index.steps:
        for item in idle_states(step) if step.step.differentiated else ():
            names = {parameter.name for parameter in item.parameters}
            others = (p for other in index.steps for p in other.step.parameters if p.name in names)
            endings = [ending for name in names if (ending := index.record.endings.get(name)) is not None]
            stayed = len(endings) == len(names) and not any(ending.changed for ending in endings)
            if all(p.gradient in ("zero", "none") for p in others) and (stayed or made_here(step, item.state)):
                yield step, item


def made_here(step: StepIndex, name: str) -> bool:
    """The step itself makes it, of a number at most."""
    made = step.producer.get(name)
    return made is not None and all(step.value(given).shape == () for given in made[1].inputs)


def zeros(step: StepIndex, name: str) -> bool:
    """All of it is zero, and no parameter decides that."""
    figures = step.value(name).statistics
    decided = name in step.depends_on_parameters or step.value(name).role == "parameter"
    return figures is not None and figures.zeros == 1.0 and not decided


def _readers(step: StepIndex, name: str) -> Iterator[Op]:
    """What reads a value, seen through casts and other layouts of it."""
    for op in step.consumers.get(name, ()):
        if family(op.kind) in ("cast", "layout") and op.outputs:
            yield from _readers(step, op.output)
        else:
            yield op
