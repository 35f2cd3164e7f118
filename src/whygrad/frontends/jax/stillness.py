"""Parameters that an optimizer keeps as they are, told from those that have not begun to move."""

from collections.abc import Mapping

from whygrad.frontends.jax.transformations import Moment
from whygrad.ir import Parameter


def held_still(parameter: Parameter, moment: Moment, parameters: Mapping[str, Parameter]) -> bool:
    """It is known to be stopped by a link of the chain, or had a gradient and did not move, at a turn at which others would have."""
    rate = moment.made.rate() if moment.made is not None and not moment.gathers else None
    # timid: a warm-up may begin at 0, and what gathers hands on zeros at most turns
    works = not moment.gathers and ((isinstance(rate, int | float) and rate) or any(p.moved for p in parameters.values()))
    return parameter.moved == 0.0 and (parameter.name in moment.stopped or (bool(works) and parameter.gradient == "finite"))
