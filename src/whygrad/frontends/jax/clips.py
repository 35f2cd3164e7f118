"""What the links of a chain clipped."""

from collections.abc import Callable, Sequence

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.jax.transformations import CLIPS, Moment
from whygrad.ir import Attribute, Event, Parameter, Site, Step


def clips(moment: Moment, step: Step, at: int, place: Callable[[source.Trace | None], Site | None]) -> list[Event]:
    """What the links of a chain clipped: the norm that came in, and the limit."""
    found = []
    for part in moment.made.every() if moment.made is not None else ():
        limit = part.settings.get(CLIPS.get(part.function, ""))
        if isinstance(limit, int | float):
            size, rule = (
                _norm([p for p in step.parameters if p.name in moment.held]),
                moment.made.in_front(part) if moment.made else None,
            )
            known: dict[str, Attribute] = {"norm": size} if size is not None else {}
            told: dict[str, Attribute] = {"limit": float(limit), **({"after": rule.function} if rule is not None else known)}
            found.append(Event("clip", at, moment.held, place(part.trace), told))
    return found


def _norm(parameters: Sequence[Parameter]) -> float | None:
    sizes = [p.gradient_norm for p in parameters if p.gradient_norm is not None]
    return float(np.linalg.norm(np.array(sizes))) if sizes else None
