"""Schedulers that cut the rate when a value no longer gets better: what they were given, and what they made of it; the same for every framework."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from weakref import ReferenceType

from whygrad.frontends.courses import CourseWatch
from whygrad.ir import Plateau

LOW = 0.05
"""Share of its highest at which a rate is low: the same at which WG412 says so of other schedules."""


@dataclass(slots=True)
class PlateauWatch:
    """One such scheduler, step by step."""

    scheduler: "ReferenceType[Any]"
    mode: str
    calls: int = 0
    better: int = 0
    first: float | None = None
    at_cut: float | None = None
    last: float | None = None
    loss: float | None = None
    """Training loss at the first value."""
    losses: tuple[float, float] | None = None
    cuts: int = 0
    low_from: int | None = None
    best: float = math.nan
    rate: float = math.nan
    highest: float = 0.0

    def take(self, value: float, best: float, rate: float, loss: float | None, updates: int) -> None:
        """One step of the scheduler's is over: it was given a value and has now this best one and this rate. `updates`: how many updates there were before it."""
        self.calls, self.last = self.calls + 1, value
        if self.calls == 1:
            self.first, self.loss = value, loss
        else:
            self.better += best != self.best
        if rate < self.rate:
            self.cuts += 1
            if self.cuts == 1:
                self.at_cut, self.losses = value, (self.loss, loss) if self.loss is not None and loss is not None else None
        self.best, self.rate, self.highest = best, rate, max(self.highest, rate)
        self.low_from = (updates if self.low_from is None else self.low_from) if rate <= LOW * self.highest else None

    def record(self) -> Plateau:
        """The neutral record of it."""
        return Plateau(self.mode, self.calls, self.better, self.first, self.at_cut, self.last, self.losses, self.cuts, self.low_from)


def lately(courses: Iterable[CourseWatch]) -> float | None:
    """The training loss as a mean over the last few steps; None where there are several losses, or none."""
    seen = [course for course in courses if course.recent]
    return math.fsum(seen[0].recent) / len(seen[0].recent) if len(seen) == 1 else None
