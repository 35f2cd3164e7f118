"""Updates that a program writes out itself: a multiple of each gradient that it takes off its parameters, with or without a share of what it took off before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whygrad.frontends.arrays import sample_of, wide
from whygrad.frontends.jax.assembly import AGREE, SNAPSHOT, Snapshot, factor
from whygrad.frontends.jax.evaluation import deleted

ENTRIES = 10
"""Numbers that an update must consist of to be told from any other by two factors."""
LEAST = 0.01
"""Momentum below which there is none: two gradients that are much alike leave a share of rounding to the second."""


@dataclass(frozen=True, slots=True)
class Descent:
    """How an update was made."""

    rate: float
    momentum: float = 0.0
    """The share of the last update that is taken off once more."""


@dataclass(slots=True)
class Updates:
    """The updates of recorded steps, each compared with the one before."""

    index: int = -2
    taken: dict[str, NDArray[Any]] = field(default_factory=dict)
    """What the last one took off."""

    def made(self, index: int, before: Mapping[str, Snapshot], after: Mapping[str, Any], gradients: Mapping[str, Any]) -> Descent | None:
        """How the update of this step was made; None where it is none of these."""
        taken = {name: item for name in gradients if (item := _taken(before.get(name), after.get(name))) is not None}
        previous = self.taken if index == self.index + 1 else {}
        self.index, self.taken = index, taken
        plain = _plain(before, after, gradients)
        return Descent(plain) if plain is not None else _with_momentum(taken, previous, gradients)


def _taken(before: Snapshot | None, after: Any) -> NDArray[Any] | None:
    if before is None or after is None or deleted(after):
        return None
    now = sample_of(np.asarray(after), SNAPSHOT)
    return (wide(before.sample) - wide(now)).reshape(-1) if now.shape == before.sample.shape else None


def _plain(before: Mapping[str, Snapshot], after: Mapping[str, Any], gradients: Mapping[str, Any]) -> float | None:
    """The factor that the program took off each gradient, if it was the same for all parameters."""
    known = [name for name in gradients if name in before and after.get(name) is not None]
    rates = [factor(before[name], after[name], gradients[name]) for name in known]
    found = [rate for rate in rates if rate is not None]
    same = bool(found) and len(found) == len(rates) and max(found) - min(found) <= AGREE * max(abs(rate) for rate in found)
    # timid: one array that climbs may be an input that is made harder on purpose
    climbs = same and max(found) < 0 and len(found) > 1
    return sum(found) / len(found) if same and (min(found) > 0 or climbs) else None


def _with_momentum(taken: Mapping[str, NDArray[Any]], previous: Mapping[str, NDArray[Any]], gradients: Mapping[str, Any]) -> Descent | None:
    """A multiple of each gradient and a share of the last update, both the same for all parameters."""
    slopes = {name: sample_of(np.asarray(item), SNAPSHOT) for name, item in gradients.items() if name in taken and not deleted(item)}
    if not taken or slopes.keys() != taken.keys() or not taken.keys() <= previous.keys():
        return None
    if any(not taken[name].shape == previous[name].shape == slopes[name].shape for name in taken):
        return None
    now, slope, last = (np.concatenate([np.ravel(part[name]) for name in taken]) for part in (taken, slopes, previous))
    size = np.linalg.norm(now)
    if now.size < ENTRIES or not np.isfinite([size, np.linalg.norm(slope), np.linalg.norm(last)]).all() or not size:
        return None
    slope = slope.astype(np.float64)
    single = slope @ now / max(slope @ slope, np.finfo(np.float64).tiny)
    # timid: gradients that keep their direction let one update look like a share of the one before
    if np.linalg.norm(now - single * slope) <= AGREE * size:
        return None
    columns = np.stack([slope, last], axis=1)
    (rate, momentum), *_ = np.linalg.lstsq(columns, now, rcond=None)
    fits = np.linalg.norm(now - columns @ (rate, momentum)) <= AGREE * size
    return Descent(float(rate), float(momentum)) if fits and rate > 0 and LEAST < momentum < 1 else None
