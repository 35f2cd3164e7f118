"""Class ids against the number of classes that a prediction has: two rules ask the same question and read the answer differently."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.flow import Index
from whygrad.flow.makers import handed_out
from whygrad.rules.loss.calls import INTEGERS, Call, bounds, calls, known
from whygrad.rules.loss.exceptions import message_of

_REFUSED = re.compile(r"(?:Target|label value of) (-?\d+) (?:is out of bounds|which is outside the valid range)")
FAR = 2
"""An id beyond this many times the number of classes is no class that was forgotten, but a mark such as 255."""


@dataclass(frozen=True, slots=True)
class Outside:
    """A loss call that was given ids which its prediction has no class for."""

    call: Call
    classes: int
    low: float | None
    """Smallest id seen over the run."""
    high: float | None
    offender: float

    @property
    def from_one(self) -> bool:
        """The ids fit but for being counted from 1."""
        return self.offender == self.classes and self.low is not None and self.low >= 1

    @property
    def marked(self) -> bool:
        """The id outside is a mark for something else: below 0, or far beyond any class."""
        seen = known(self.call.target)
        named = max(self.classes, (seen.distinct or 0) if seen is not None and self.classes == 1 else 0)
        return self.offender < 0 or self.offender > FAR * named

    @property
    def too_few_outputs(self) -> bool:
        """The model has fewer outputs than there are classes."""
        return not self.from_one and not self.marked


def outsiders(index: Index) -> Iterator[Outside]:
    """Calls that were given an id outside of 0 to the number of classes less one."""
    for call in calls(index):
        classes = call.classes
        if (
            call.by_ids
            and classes is not None
            and (classes > 1 or _several(call))
            and (call.target.dtype in INTEGERS or (call.op.attributes.get("ids") and call.whole))
        ):
            found = _outside(call, classes)
            if found is not None:
                yield found


def _several(call: Call) -> bool:
    """A loss refused the ids of more than two classes, where the model has a single output."""
    low, high = seen(call)
    return call.op.failed and low is not None and low >= 0 and high is not None and high > 1


def _outside(call: Call, classes: int) -> Outside | None:
    low, high = seen(call)
    ignored = call.op.attributes.get("ignore_index", -100)
    said = _REFUSED.search(message_of(call.index, call.step)) if call.op.failed else None
    if said is not None:
        return Outside(call, classes, low, high, float(said[1]))
    for figure in (high, low):
        if figure is not None and figure != ignored and not 0 <= figure < classes:
            found = Outside(call, classes, low, high, figure)
            # timid: one-hot rows of a mark are zeros, which is how padding is left out
            return None if found.marked and call.op.attributes.get("one_hot") else found
    return None


def seen(call: Call) -> tuple[float | None, float | None]:
    """Smallest and largest id, of this call and of the loader that it came from."""
    own, loader = bounds(call.target), handed_out(call.index, call.step, call.target.name)
    lows = [figure for figure in (own[0] if own else None, loader.minimum if loader else None) if figure is not None]
    highs = [figure for figure in (own[1] if own else None, loader.maximum if loader else None) if figure is not None]
    return min(lows, default=None), max(highs, default=None)
