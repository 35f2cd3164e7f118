"""A rate that has fallen out of sight of the highest one counts as none."""

import math

import pytest

from whygrad.frontends.rates import as_good_as_zero


@pytest.mark.parametrize(("rate", "highest"), [(0.0, 0.0), (0.0, 0.1), (1e-12, 0.1), (5e-9, 0.1)])
def test_zero_and_next_to_nothing_are_none(rate: float, highest: float) -> None:
    assert as_good_as_zero(rate, highest)


@pytest.mark.parametrize(
    ("rate", "highest"),
    [(1e-12, 1e-12), (1e-7, 0.1), (-0.1, -0.1), (-0.1, 0.1), (math.nan, 0.1), (math.nan, math.nan), (math.inf, math.inf)],
)
def test_small_negative_and_unknown_rates_are_not(rate: float, highest: float) -> None:
    assert not as_good_as_zero(rate, highest)


def test_a_rate_below_the_spacing_of_the_numbers_that_are_updated_is_none() -> None:
    assert as_good_as_zero(1e-9, 0.01, size=0.2)
    assert not as_good_as_zero(1e-7, 0.01, size=0.2)
