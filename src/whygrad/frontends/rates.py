"""When a learning rate that has fallen is as good as none."""

import math

NOTHING = 2.0**-24
"""Share of the highest rate of the run from which on an update is lost beside one at that rate: the spacing of single-precision numbers."""

LOW = 1e-3
"""Share of the highest rate of the run from which on it has fallen away: schedules that end there spend their last tenth so, and a cut by hundreds is common."""


def fallen_away(rate: float, highest: float) -> bool:
    """The rate is a thousandth of the highest of the run or less; negative rates are none of this."""
    return math.isfinite(highest) and 0 <= rate <= LOW * highest


def as_good_as_zero(rate: float, highest: float, size: float = 0.0) -> bool:
    """The rate is zero, or nothing next to the highest of the run; negative rates are none of this.

    `size`: of the numbers that are updated, where each update of one is about as large as the rate, as Adam's are: it may be nothing next to them.
    """
    return math.isfinite(highest) and 0 <= rate <= NOTHING * max(highest, size, 0.0)
