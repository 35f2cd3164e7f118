"""The loss over the run as points of a drawing."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from whygrad.diagnosis import Fix, Picture
from whygrad.reports.figures import figure

WIDTH, HEIGHT = 600, 160
LEFT, TOP, BOTTOM = 8, 10, 10
FEWEST = 2
"""Losses that make a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line in a box of `WIDTH` by `HEIGHT`, and the same in words."""

    points: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Curve:
    """The losses of a run, and on the same scale those of the patched program where a fix was tried."""

    run: Line
    highest: str
    lowest: str
    patched: Line | None = None
    width: int = WIDTH
    height: int = HEIGHT


def curve(picture: Picture, fix: Fix | None = None) -> Curve | None:
    """The curves; None where fewer than two losses of the run are known."""
    losses, patched = _finite(picture.curve), _finite(fix.curve if fix is not None else ())
    if len(losses) < FEWEST:
        return None
    low, high = min(*losses, *patched), max(*losses, *patched)
    other = line(patched, fix.curve_width, low, high) if fix is not None and len(patched) >= FEWEST else None
    return Curve(line(losses, picture.curve_width, low, high), figure(high), figure(low), other)


def line(losses: list[float], width: int, low: float, high: float) -> Line:
    """Losses between `low` and `high`, each the mean of `width` steps."""
    across, half = (WIDTH - 2 * LEFT) / (len(losses) - 1), (high / 2 - low / 2) or 1.0
    room = HEIGHT - TOP - BOTTOM
    points = " ".join(f"{LEFT + at * across:.1f},{TOP + (high / 2 - loss / 2) / half * room:.1f}" for at, loss in enumerate(losses))
    each = f", each point the mean of {width} steps" if width > 1 else ""
    return Line(points, f"from {figure(losses[0])} to {figure(losses[-1])} over {len(losses) * width} steps{each}")


def _finite(losses: Iterable[float]) -> list[float]:
    return [loss for loss in losses if isfinite(loss)]
