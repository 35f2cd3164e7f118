"""What a person at a terminal is told when whygrad keeps the program waiting."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from whygrad.delivery import Screen
from whygrad.ir import Step
from whygrad.reports.figures import counted

TOLD_AFTER = 3.0
"""Seconds of waiting after which a person wonders."""
TOLD_EVERY = 10.0
"""Seconds between two sentences on the same thing."""

Clock = Callable[[], float]


@dataclass(slots=True)
class Patience:
    """One sentence when measuring takes long, and another for every long while after."""

    screen: Screen
    clock: Clock = time.monotonic
    step: int = -1
    began: float = 0.0
    due: float = 0.0

    def measuring(self, step: Step, done: int) -> None:
        """A recorded step is about to be run again."""
        now = self.clock()
        if step.index != self.step:
            self.step, self.began, self.due = step.index, now, now + TOLD_AFTER
        elif now >= self.due:
            self.due = now + TOLD_EVERY
            self.screen.print(
                f"whygrad: step {step.index} was run {counted(done, 'time')} again in {now - self.began:.0f} s to measure it, and the program waits\n"
            )
