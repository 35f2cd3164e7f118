"""How finely the numbers of a dtype lie at a size."""

from math import floor, isfinite, log2

from whygrad.ir import Value

DIGITS = {"f64": 52, "f32": 23, "f16": 10, "bf16": 7}
"""Binary digits behind the point of each floating dtype."""


def largest(value: Value) -> float | None:
    """The size of the largest entry."""
    figures = value.statistics
    if figures is None or figures.minimum is None or figures.maximum is None:
        return None
    size = max(abs(figures.minimum), abs(figures.maximum))
    return size if isfinite(size) else None


def spacing(dtype: str, size: float | None) -> float | None:
    """The distance of neighbouring numbers of a dtype at a size; None where either is unknown."""
    digits = DIGITS.get(dtype)
    return None if digits is None or not size else 2.0 ** (floor(log2(size)) - digits)


def exact(target: Value, size: float) -> bool:
    """The labels lose nothing there: whole numbers below the size from which these are spaced wider than 1, or two values."""
    figures = target.statistics
    if figures is None:
        return True
    few = figures.distinct is not None and figures.distinct <= 2  # noqa: PLR2004 - yes and no
    return (figures.whole == 1.0 and size <= 1) or (few and size <= 1)
