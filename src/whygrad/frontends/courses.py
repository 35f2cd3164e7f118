"""One loss over the run, in a few numbers; the same for every framework."""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from whygrad.frontends.source import Trace
from whygrad.ir import Course, Site

WINDOW = 8
"""Losses that are averaged to be compared: single ones differ from batch to batch."""


MOST_MEANS = 64
"""Means kept over the run: the third quarter's end is then known to within 3 %."""


MOST_DRAWN = 128
"""Points of a curve."""
RAN = 1e3
"""Times the first loss: WG411 speaks of running away from ten times on, and a loss that one op spoils is of its usual size the step before."""


@dataclass(slots=True)
class CourseWatch:
    """One loss over the run, in a few numbers."""

    trace: Trace | None
    steps: int = 0
    head: list[float] = field(default_factory=list)
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    block: float = 0.0
    inside: int = 0
    """Losses that `block` is the sum of."""
    lowest: float = math.inf
    highest: float = -math.inf
    rates: list[float | None] = field(default_factory=lambda: [None, None])
    """Learning rate at the lowest and at the highest."""
    apart: float = 0.0
    frozen: int = 0
    row: int = 0
    non_finite: int | None = None
    means: list[float] = field(default_factory=list)
    """Means over as many losses each, over the whole run; the number of losses in each doubles as it grows."""
    wide: int = WINDOW
    """Losses in each of `means`."""
    sum: float = 0.0
    """Of the losses since the last of `means`."""
    curve: "Curve" = field(default_factory=lambda: Curve())  # noqa: PLW0108 - the class stands below

    def add(self, value: float, step: int, rate: float | None = None, of: int = 1) -> bool:
        """Take one loss in, or the mean of so many; True for the first that is not finite."""
        self.steps += of
        if not math.isfinite(value):
            first = self.non_finite is None
            self.non_finite = step if first else self.non_finite
            return first
        if self.recent:
            before = self.recent[-1]
            self.apart += abs(value - before)
            self.row = self.row + 1 if value == before else 0
            self.frozen = max(self.frozen, self.row)
        self.recent.append(value)
        if len(self.head) < WINDOW:
            self.head.append(value)
        self.block, self.inside = self.block + value * of, self.inside + of
        self.curve.add(value)
        self._over_the_run(value)
        if self.inside >= WINDOW:
            mean, self.block, self.inside = self.block / self.inside, 0.0, 0
            if mean < self.lowest:
                self.lowest, self.rates[0] = mean, rate
            if mean > self.highest:
                self.highest, self.rates[1] = mean, rate
        return False

    def _over_the_run(self, value: float) -> None:
        self.sum += value
        if self.steps % self.wide == 0:
            self.means.append(self.sum / self.wide)
            self.sum = 0.0
            if len(self.means) == MOST_MEANS:
                self.means = [(one + other) / 2 for one, other in zip(self.means[::2], self.means[1::2], strict=True)]
                self.wide *= 2

    @property
    def ran_away(self) -> bool:
        """The last finite loss was RAN times the first: its numbers grew until they overflowed, and no single op is to blame."""
        return bool(self.head) and self.recent[-1] >= RAN * self.head[0] > 0

    def record(self, site: Site | None) -> Course:
        """The neutral record of it."""
        known = len(self.recent)
        return Course(
            self.steps,
            self.head[0] if self.head else None,
            _mean(self.head),
            _mean(self.recent),
            self.lowest if self.lowest <= self.highest else None,
            self.highest if self.lowest <= self.highest else None,
            self.apart / (self.steps - 1) * _PER_STEP if known > 1 else None,
            self.frozen + 1 if self.frozen else 0,
            self.non_finite,
            self.rates[0],
            self.rates[1],
            site,
            self.means[3 * len(self.means) // 4 - 1] if len(self.means) >= 4 else None,  # noqa: PLR2004 - quarters
            tuple(self.curve.means),
            self.curve.width,
        )


@dataclass(slots=True)
class Curve:
    """Losses as they are drawn: each by itself at first, then means over twice as many whenever there are too many."""

    means: list[float] = field(default_factory=list)
    width: int = 1
    mean: float = 0.0
    count: int = 0

    def add(self, value: float) -> None:
        """Take one finite loss in."""
        self.mean += value / self.width
        self.count += 1
        if self.count == self.width:
            self.means.append(self.mean)
            self.mean, self.count = 0.0, 0
        if len(self.means) == MOST_DRAWN:
            self.means = [one / 2 + other / 2 for one, other in zip(self.means[::2], self.means[1::2], strict=True)]
            self.width *= 2


_PER_STEP = math.sqrt(math.pi) / 2
"""Mean distance of two draws from a normal distribution to its standard deviation."""


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    if not found:
        return None
    try:
        return math.fsum(found) / len(found)
    except OverflowError:  # each is finite, their sum is not
        return math.fsum(value / len(found) for value in found)
