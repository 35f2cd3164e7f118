"""Figures of NumPy arrays."""

import math

import ml_dtypes
import numpy as np
import pytest

from whygrad.frontends.arrays import distance, dtype_name, norm, order_of, same_bits, statistics
from whygrad.frontends.jax.assembly import symmetric


def test_figures_are_over_the_finite_entries() -> None:
    found = statistics(np.array([1.0, 3.0, math.nan, math.inf, 0.0], np.float32), count_distinct=True)

    assert found is not None
    assert (found.count, found.finite, found.minimum, found.maximum) == (5, 0.6, 0.0, 3.0)
    assert found.mean == pytest.approx(4 / 3)
    assert (found.zeros, found.distinct) == (0.2, 5)


def test_half_precision_is_read() -> None:
    found = statistics(np.full((2, 3), 1.5, ml_dtypes.bfloat16), rows=True, units=True)

    assert dtype_name(np.dtype(ml_dtypes.bfloat16)) == "bf16"
    assert found is not None
    assert found.row_sums is None or found.row_sums == (4.5, 4.5)
    assert found.dead == 0.0


def test_what_holds_no_numbers_has_no_figures() -> None:
    assert statistics(np.array(["a"])) is None


def test_nothing_has_an_empty_figure() -> None:
    found = statistics(np.zeros((0, 3)))

    assert found is not None
    assert found.count == 0


def test_large_arrays_are_sampled() -> None:
    found = statistics(np.arange(1_000_000.0))

    assert found is not None
    assert found.sampled
    assert found.norm == pytest.approx(float(np.linalg.norm(np.arange(1_000_000.0))), rel=1e-2)


def test_the_order_moves_most_labels_and_is_always_the_same() -> None:
    labels = np.array([0, 0, 1, 1])
    order = order_of(4, [labels], 0)

    assert (labels[order] != labels).all()
    assert np.array_equal(order, order_of(4, [labels], 0))


def test_distances_lie_between_0_and_2() -> None:
    one = {"a": np.array([1.0, 0.0])}

    assert distance(one, one) == 0.0
    assert distance(one, {"a": np.array([-1.0, 0.0])}) == 2.0
    assert distance(one, {}) == 1.0
    assert distance({}, {}) is None
    assert norm([]) is None


def test_nan_equals_nan() -> None:
    assert same_bits(np.array([math.nan]), np.array([math.nan]))
    assert not same_bits(np.array([0.0], np.float32), np.array([0.0]))


def test_a_stack_of_equal_layers_is_symmetric_while_its_gradients_are_equal_too() -> None:
    layer, other = np.arange(6.0).reshape(2, 3), np.arange(6.0, 12.0).reshape(2, 3)
    same, apart = np.stack([layer, layer]), np.stack([layer, other])

    assert symmetric(same, same)
    assert not symmetric(same, apart)
    assert not symmetric(apart, same)
