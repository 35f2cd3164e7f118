"""When a learning rate that has fallen is as good as none."""

import math

NOTHING = 2.0**-24
"""Share of the highest rate of the run from which on an update is lost beside one at that rate: the spacing of single-precision numbers."""


def as_good_as_zero(rate: float, highest: float) -> bool:
    """The rate is zero, or nothing next to the highest of the run; negative rates are none of this."""
    return math.isfinite(highest) and 0 <= rate <= NOTHING * max(highest, 0.0)
