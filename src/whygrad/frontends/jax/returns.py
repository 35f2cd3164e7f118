"""Training that goes back again and again to the parameters which it began with: nobody kept what was made of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from weakref import ref

import jax
import numpy as np

from whygrad.frontends import source
from whygrad.frontends.jax.building import Builder
from whygrad.frontends.jax.inputs import parameters_of
from whygrad.frontends.jax.patches import outside
from whygrad.ir import Event, Step

if TYPE_CHECKING:
    from whygrad.frontends.jax.plans import Plan

IN_A_ROW = 2
"""Calls of a step that hand their parameters on to one another, from which they are a turn of training."""


def _nothing() -> None:
    return None


@dataclass(slots=True)
class Returns:
    """What becomes of one parameter, by the identity of its arrays: none is kept alive for it."""

    name: str = ""
    first: Callable[[], Any] = _nothing
    made: Callable[[], Any] = _nothing
    """What the last call handed out for it."""
    chained: int = 0
    times: int = 0
    lost: int = 0
    """Updates that were made between one time and the next."""
    over: bool = False
    """The program does something else with its parameters, and nothing is said of it."""
    trace: source.Trace | None = None
    places: dict[int, tuple["Plan", int, int]] = field(default_factory=dict)
    """For each traced step, where it is given the parameter and where it hands it out; the plans are held, so that their identities stay theirs."""

    def returned(self, plan: "Plan", outputs: Sequence[Any]) -> None:
        """A jitted step has returned."""
        if self.over or not plan.results:
            return
        at, out = self._places(plan)
        if not 0 <= at < len(plan.given) or out >= len(outputs) or not isinstance(plan.given[at], jax.Array | np.ndarray):
            self.over = True  # numbers of Python's have no identity to know them by
            return
        item, made = plan.given[at], outputs[out]
        if not self.chained:
            self.first, self.chained = ref(item), 1
        elif item is self.made():
            self.chained += 1
        elif item is self.first() and self.chained >= IN_A_ROW:
            self.times, self.lost, self.chained = self.times + 1, self.lost + self.chained, 1
            self.trace = source.trace(outside())
        else:
            self.over = True
        self.made = ref(made)

    def _places(self, plan: "Plan") -> tuple[int, int]:
        known = self.places.get(id(plan))
        if known is None:
            given = parameters_of(plan, plan.given)
            self.name = self.name or next((name for name in plan.results if name in given), "")
            item = given.get(self.name)
            at = next((place for place, one in enumerate(plan.given) if item is not None and one is item), -1)
            known = self.places[id(plan)] = (plan, at, plan.results.get(self.name, 0))
        return known[1:]

    def told(self, steps: tuple[Step, ...], builder: Builder) -> tuple[Step, ...]:
        """The steps, the last of which tells of it."""
        if self.over or not self.times or not steps:
            return steps
        last = steps[-1]
        told: dict[str, str | int] = {"what": "begun again", "times": self.times, "updates": self.lost + self.chained}
        event = Event("dropped", len(last.graph.ops), tuple(p.name for p in last.parameters if p.trainable), builder.site(self.trace), told)
        return (*steps[:-1], replace(last, events=(*last.events, event)))
