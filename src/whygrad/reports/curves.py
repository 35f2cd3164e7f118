"""The loss over the run as points of a drawing."""

from dataclasses import dataclass
from math import isfinite

from whygrad.diagnosis import Picture
from whygrad.reports.figures import figure

WIDTH, HEIGHT = 600, 160
LEFT, TOP, BOTTOM = 8, 10, 10


@dataclass(frozen=True, slots=True)
class Curve:
    """A line in a box of `WIDTH` by `HEIGHT`, and the same in words."""

    points: str
    highest: str
    lowest: str
    sentence: str
    width: int = WIDTH
    height: int = HEIGHT


def curve(picture: Picture) -> Curve | None:
    """The curve; None where fewer than two losses are known."""
    losses = [loss for loss in picture.curve if isfinite(loss)]
    if len(losses) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    low, high = min(losses), max(losses)
    across, half = (WIDTH - 2 * LEFT) / (len(losses) - 1), (high / 2 - low / 2) or 1.0
    room = HEIGHT - TOP - BOTTOM
    points = " ".join(f"{LEFT + at * across:.1f},{TOP + (high / 2 - loss / 2) / half * room:.1f}" for at, loss in enumerate(losses))
    each = f", each point the mean of {picture.curve_width} steps" if picture.curve_width > 1 else ""
    steps = len(losses) * picture.curve_width
    return Curve(points, figure(high), figure(low), f"from {figure(losses[0])} to {figure(losses[-1])} over {steps} steps{each}")
