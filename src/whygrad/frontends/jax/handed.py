"""The events of updates that were handed something else than the gradients calculated for them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from whygrad.frontends import source
from whygrad.frontends.jax.sums import Handed
from whygrad.frontends.jax.transformations import Moment
from whygrad.ir import Event, Site, Step


def told(step: Step, moments: Sequence[Moment], place: Callable[[source.Trace | None], Site | None]) -> Step:
    """The step with what is known of them."""
    for moment in moments:
        if moment.handed is not None and step.updated:
            step = _zeros(step, moment.handed, place) if moment.handed.what == "zero" else _sums(step, moment.handed, place)
    return step


def _zeros(step: Step, handed: Handed, place: Callable[[source.Trace | None], Site | None]) -> Step:
    """The gradients were set to zero in front of the update."""
    at = next((n for n, event in enumerate(step.events) if event.kind == "optimizer_step"), len(step.events))
    clear = Event("clear", len(step.graph.ops), handed.names, place(handed.trace))
    parameters = tuple(replace(p, gradient_at_update="zero") if p.name in handed.names else p for p in step.parameters)
    return replace(step, events=(*step.events[:at], clear, *step.events[at:]), parameters=parameters)


def _sums(step: Step, handed: Handed, place: Callable[[source.Trace | None], Site | None]) -> Step:
    """Gradients that an earlier update had used are part of what this one was handed."""
    first = next((n for n, event in enumerate(step.events) if event.kind == "backward"), None)
    if first is None:
        return step
    event = step.events[first]
    backward = replace(event, attributes={**event.attributes, "stale": len(handed.names)})
    added = Event("accumulate", len(step.graph.ops), handed.names, place(handed.trace))
    return replace(step, events=(*step.events[:first], backward, added, *step.events[first + 1 :]))
