"""A derivative beside finite differences of the function: which entries are moved, how far, and how the two are compared. Of arrays, for every framework."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ENTRIES = 6
"""Entries of each input that are moved: a wrong formula is wrong almost everywhere."""
SECONDS = 1.0
"""Time after which no further entry is moved."""

Slope = Callable[[tuple[int, ...], float], float]
"""The difference quotient at an entry for a move."""


@dataclass(frozen=True, slots=True)
class Moves:
    """How far entries are moved, and what may differ."""

    wide: float
    narrow: float
    agree: float
    """Share by which the two estimates may differ at a point where the function is smooth."""
    wrong: float
    """Share by which the custom gradient must differ to be wrong."""


SINGLE = Moves(2e-2, 1e-2, agree=0.05, wrong=0.15)
"""In single precision smaller moves drown in rounding."""
DOUBLE = Moves(1e-4, 5e-5, agree=0.02, wrong=0.1)


def compared(item: NDArray[Any], slopes: NDArray[Any], slope: Slope, moves: Moves) -> dict[str, float]:
    """Entries checked, and of those how many are wrong, point the other way, or are zero."""
    found = list(_entries(item, slopes, slope, moves))
    wrong = [(mine, true) for mine, true in found if abs(mine - true) > moves.wrong * max(abs(mine), abs(true))]
    return {
        "checked": float(len(found)),
        "wrong": float(len(wrong)),
        "opposed": float(sum(mine * true < 0 for mine, true in wrong)),
        "zero": float(sum(mine == 0 for mine, _ in wrong)),
    }


def _entries(item: NDArray[Any], slopes: NDArray[Any], slope: Slope, moves: Moves) -> Iterator[tuple[float, float]]:
    """The custom derivative and the measured one, at entries where the function is smooth and depends on the entry."""
    began = time.perf_counter()
    scale = float(np.abs(item).mean()) or 1.0
    for position in np.random.default_rng(0).permutation(item.size)[:ENTRIES]:
        entry = tuple(int(at) for at in np.unravel_index(position, item.shape))
        size = max(abs(float(item[entry])), scale)
        if time.perf_counter() - began > SECONDS:
            return
        wide, narrow = slope(entry, moves.wide * size), slope(entry, moves.narrow * size)
        if narrow != 0 and abs(wide - narrow) <= moves.agree * abs(narrow):
            yield float(slopes[entry]), narrow
