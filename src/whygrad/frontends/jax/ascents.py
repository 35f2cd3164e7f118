"""Parameters that a step moved by their own gradient, neither turned nor scaled: uphill."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.arrays import cosine, sample_of, wide
from whygrad.frontends.jax.assembly import SNAPSHOT, Snapshot, factor
from whygrad.frontends.jax.evaluation import deleted
from whygrad.frontends.jax.transformations import CHOOSING, Moment

EXACT = 1e-3
"""Share by which the factor may differ from one: what rounding of float32 leaves of a difference is far below, and no usual rate is that near to minus one."""


def uphill(snapshots: Mapping[str, Snapshot], after: Mapping[str, Any], gradients: Mapping[str, Any]) -> tuple[str, ...]:
    """The parameters to which their gradients were added as they are."""
    found = {name: factor(snapshots[name], item, gradients.get(name)) for name, item in after.items() if name in snapshots}
    return tuple(name for name, taken in found.items() if taken is not None and abs(taken + 1) <= EXACT)


def along(before: Snapshot | None, after: Any, gradient: Any) -> float | None:
    """The cosine of what was added to a parameter with its gradient; None where that is not known."""
    if before is None or gradient is None or deleted(after) or deleted(gradient):
        return None
    now, slope = sample_of(np.asarray(after), SNAPSHOT), sample_of(np.asarray(gradient), SNAPSHOT)
    return cosine(wide(now) - wide(before.sample), slope) if now.shape == before.sample.shape == slope.shape else None


def place(moments: Sequence[Moment], *, some: bool) -> source.Trace | None:
    """Where it is to be mended: what chooses some of the parameters, or else what applies the updates."""
    links = [part for moment in moments if moment.made is not None for part in moment.made.every() if part.function in CHOOSING]
    applied = [moment for moment in moments if moment.kind == "apply"]
    return links[0].trace if some and links else applied[-1].trace if applied else None
