"""What proves a fix: one loss on one batch, by the parameters of the program as it stands and of the patched one, after as many steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, isclose, isfinite

from whygrad.flow.trials import FELL, STEADILY
from whygrad.ir import Course, Trial
from whygrad.reports.figures import figure

Losses = Mapping[int, float]
"""How many losses a run had seen, to the patched program's loss on the recorded batch by its parameters then."""


REPEATED = 1e-3
"""Share by which the first loss may differ between two runs of one program: kernels that add up in another order differ by far less, other numbers by more."""


@dataclass(frozen=True, slots=True)
class Likened:
    """Two runs, measured by the patched program's loss on its first recorded batch."""

    start: float | None = None
    """With the parameters that both begin with."""
    before: Losses = field(default_factory=dict)
    after: Losses = field(default_factory=dict)
    reason: str = ""
    """Why there is no comparison, where there is none."""

    @property
    def moments(self) -> tuple[int, ...]:
        """All moments at which one of them is known."""
        return tuple(sorted({*self.before, *self.after}))

    def at(self, losses: Losses, moment: int) -> float:
        """The loss at a moment: by what was kept last before it; a run that ended early stays where it ended."""
        known = [when for when in losses if when <= moment]
        return losses[max(known)] if known else (self.start if self.start is not None else inf)

    def fall(self, losses: Losses, moment: int) -> float:
        """The share of its size by which the loss has fallen; minus infinity for what is no number."""
        loss = self.at(losses, moment)
        return (self.start - loss) / abs(self.start) if self.start and isfinite(loss) else -inf

    @property
    def last(self) -> tuple[float, float]:
        """Where both end."""
        return self.at(self.before, self.moments[-1]), self.at(self.after, self.moments[-1])


def likened(before: Trial | None, after: Trial | None, *, ran: bool, first: tuple[float, ...] = ()) -> Likened:
    """The comparison of two runs that were followed.

    `ran`: parameters moved in the first of them, so that nothing kept does not mean that nothing moved. `first`: what the patched program's loss at
    that step was in its own run, or may have been: of a step with several losses the first one that can be run again is looked at.
    """
    if before is None or after is None:
        return Likened(reason="the patched program's first step could not be looked at again")
    if before.reason or after.reason:
        return Likened(reason=before.reason or after.reason)
    if after.loss is None or not isfinite(after.loss) or after.loss == 0:
        return Likened(reason="the patched program's first loss is zero, or no number")
    if first and not any(isclose(after.loss, loss, rel_tol=REPEATED) for loss in first):
        return Likened(reason="the program draws other numbers in each run")
    if ran and not before.figures:
        return Likened(reason="the parameters of the program as it stands could not be kept over its run")
    found = Likened(after.loss, _losses(before), _losses(after))
    return found if found.after else Likened(reason="the parameters could not be kept over the run")


def _losses(trial: Trial) -> dict[int, float]:
    return {int(moment): loss for moment, loss in trial.figures.items()}


def further(pair: Likened) -> bool:
    """Whether the second run gets further: to a lower loss at the end, or to the same one sooner."""
    last = pair.moments[-1]
    before, after = pair.fall(pair.before, last), pair.fall(pair.after, last)
    if after == -inf or after < STEADILY:
        return False
    if before <= 0:
        return True
    if after - before >= FELL:
        return True
    falls = [(pair.fall(pair.before, moment), pair.fall(pair.after, moment)) for moment in pair.moments]
    sooner = sum(max(one, -1.0) for one, _ in falls) < sum(max(other, -1.0) for _, other in falls) - FELL * len(falls)
    return sooner and after - before > -FELL


def no_worse(pair: Likened) -> bool:
    """Whether the second run learns, and ends as low as the first one."""
    last = pair.moments[-1]
    before, after = pair.fall(pair.before, last), pair.fall(pair.after, last)
    return after >= STEADILY and after - before > -FELL


def no_further(pair: Likened) -> str:
    """What the comparison says of a change that does no harm and gets no further; "" where it gets further, or nothing was compared."""
    if not pair.moments or further(pair):
        return ""
    before, after = pair.last
    if not no_worse(pair):
        return f"learns without what let the loss fall: the patched loss on the recorded batch ends at {figure(after)}, and before at {figure(before)} by that"
    return f"gets no further by that and no less far: the patched loss on the recorded batch ends at {figure(after)}, without the change at {figure(before)}"


QUARTER = 4
"""The end of a run over which losses are averaged: single ones jump from batch to batch."""
NOISES = 3
"""Standard errors of such a mean by which two must lie apart."""


def lower(before: Course | None, after: Course | None) -> bool:
    """Two runs of one loss from one start, over as many steps: whether the second one ends lower, by more than a mean over so many steps varies.

    For changes of the updates alone, under which the loss stays what it was.
    """
    if before is None or after is None or before.steps != after.steps or before.start is None or after.start is None or not before.start:
        return False
    ends = [course.curve[-max(len(course.curve) // QUARTER, 1) :] for course in (before, after)]
    if not all(ends) or not isclose(before.start, after.start, rel_tol=REPEATED) or not all(map(isfinite, (*ends[0], *ends[1]))):
        return False
    gained = sum(ends[0]) / len(ends[0]) - sum(ends[1]) / len(ends[1])
    error = max(before.noise or 0.0, after.noise or 0.0) / (len(ends[0]) * before.curve_width) ** 0.5
    return gained >= FELL * abs(before.start) and gained > NOISES * error


def unproved_by(pair: Likened, *, beside: bool = False, closes: bool = False) -> str:
    """Why the comparison is no proof; "" where it is one. `beside`: no more is asked of the change than that it does no harm to what is learnt; `closes`: than that the loss falls."""
    falls = pair.fall(pair.after, pair.moments[-1]) >= STEADILY
    if further(pair) or (beside and no_worse(pair)) or (closes and falls):
        return ""
    start, (before, after) = figure(pair.start or 0.0), pair.last
    if not falls:
        return f"its loss on the recorded batch does not fall: from {start} to {figure(after)}"
    return f"the program learns as well as it stands: the patched loss on the recorded batch goes from {start} to {figure(after)}, without the change to {figure(before)}"
