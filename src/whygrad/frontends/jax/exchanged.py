"""Parameters in the place of which the program put the update that an optimizer made for them: `params, state = optimizer.update(...)`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.assembly import Snapshot, digest
from whygrad.frontends.jax.evaluation import deleted
from whygrad.frontends.jax.transformations import NATIVE, Moment
from whygrad.ir import Event, Site, Step


def handed_out(moment: Moment, closed: Any) -> tuple[int, ...]:
    """The places, among what a traced function hands out, of the update that was made within it."""
    made = {variable for item in moment.updates if (variable := _compat.variable(item)) is not None}
    return tuple(at for at, item in enumerate(closed.jaxpr.outvars) if not _compat.is_literal(item) and item in made)


def told(
    step: Step,
    moments: Sequence[Moment],
    before: Mapping[str, Snapshot],
    after: Mapping[str, Any],
    site: Callable[[source.Trace | None], Site | None],
) -> Step:
    """The step, with an event where all that it moved became the very update."""
    for moment in moments:
        # what is no number is the same as what was added to it, to the last bit
        made = {digest(item) for item in _answers(moment) if _of_numbers(item)}
        names = [name for name, item in after.items() if made and name in before and _filled(before[name])]
        if names and all(digest(after[name]) in made for name in names):
            return replace(step, events=(*step.events, Event("exchanged", len(step.graph.ops), tuple(names), site(moment.trace))))
    return step


def _answers(moment: Moment) -> Iterator[Any]:
    # timid: an average of parameters, `optax.ema`, is asked for in the same way, and may be meant to be gone on with
    descends = moment.made is not None and any(part.function in NATIVE for part in moment.made.every())
    known = moment.answers or tuple(item for item in moment.updates if not _compat.is_tracer(item))
    yield from (item for item in known if descends and moment.kind == "update" and _compat.is_array(item) and not deleted(item))


def _of_numbers(item: Any) -> bool:
    """Every entry is finite; NumPy knows the half-precision types of JAX' by their own `isfinite`."""
    return bool(np.isfinite(np.asarray(item)).all())


def _filled(found: Snapshot) -> bool:
    """What is added to zeros is what they become, in a sound step as well."""
    return bool(np.any(found.sample))
