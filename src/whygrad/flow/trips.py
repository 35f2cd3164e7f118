"""Trips out of the framework whose way back was not seen: what left was reckoned with elsewhere, and a new tensor was made of the result."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.flow.index import Index, StepIndex
from whygrad.flow.starved import fed, shaping, starved
from whygrad.ir import Op, Parameter


@dataclass(frozen=True, slots=True)
class Trip:
    """Where values left, where a new tensor was made afterwards, and the parameters that have no other way to the loss."""

    step: StepIndex
    left: tuple[Op, ...]
    entered: Op
    starved: tuple[Parameter, ...]
    whole: bool
    """No parameter shapes the loss at all."""


def trips(index: Index) -> tuple[Trip, ...]:
    """The trips of all steps, one for each place where a new tensor was made."""
    found: dict[object, Trip] = {}
    for step in index.steps:
        for trip in _trips_of(index, step):
            site = trip.entered.site
            found.setdefault((site.file, site.line) if site else trip.entered.output, trip)
    return tuple(found.values())


def lost(index: Index, step: StepIndex) -> tuple[Parameter, ...]:
    """Starved parameters that the forward read and that nothing in the loss was computed from."""
    known = index.once(shaping) | index.once(fed)
    return tuple(p for p in starved(index, step) if p.reached and p.name not in known)


def _trips_of(index: Index, step: StepIndex) -> Iterator[Trip]:
    missing = lost(index, step) if step.step.differentiated else ()
    entries = [(at, op) for at, op in enumerate(step.graph.ops) if _made_from_nothing(step, op)] if missing else []
    if not entries:
        return
    whole = not any(p.value in step.shapes_loss for p in step.step.parameters)
    reach = step.downstream(tuple(p.value for p in missing))
    leaves = [(at, op) for at, op in enumerate(step.graph.ops) if op.kind == "leave" and not reach.isdisjoint(op.inputs)]
    for at, entered in entries:
        left = tuple(op for position, op in leaves if position < at and _belongs(op, entered, whole=whole))
        if left:
            yield Trip(step, left, entered, _behind(step, missing, left), whole)


def _made_from_nothing(step: StepIndex, op: Op) -> bool:
    """A tensor made of Python or NumPy data of unknown origin, that the loss was computed from."""
    return op.kind == "enter" and not step.shapes_loss.isdisjoint(op.outputs) and not any(name in step.producer for name in op.inputs)


def _belongs(left: Op, entered: Op, *, whole: bool) -> bool:
    """Whether what left may well have come back here: in the same call of a function, or anywhere if the loss has no other origin."""
    if left.scope is not None and left.scope == entered.scope:
        return True
    here, there = left.site, entered.site
    if here and there and (here.file, here.function) == (there.file, there.function):
        return True
    # timid: with other parameters in the loss, two places far apart need not belong together
    return whole


def _behind(step: StepIndex, missing: tuple[Parameter, ...], left: tuple[Op, ...]) -> tuple[Parameter, ...]:
    origins = frozenset[str]().union(*(step.upstream(name) for op in left for name in op.inputs))
    return tuple(p for p in missing if p.value in origins)
