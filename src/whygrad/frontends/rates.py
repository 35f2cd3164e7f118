"""When a learning rate that has fallen is as good as none."""

import math

NOTHING = 2.0**-24
"""Share of the highest rate of the run from which on an update is lost beside one at that rate: the spacing of single-precision numbers."""


def as_good_as_zero(rate: float, highest: float, size: float = 0.0) -> bool:
    """The rate is zero, or nothing next to the highest of the run; negative rates are none of this.

    `size`: of the numbers that are updated, where each update of one is about as large as the rate, as Adam's are: it may be nothing next to them.
    """
    return math.isfinite(highest) and 0 <= rate <= NOTHING * max(highest, size, 0.0)
