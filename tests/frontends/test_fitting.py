"""Fits of labels from inputs: what is related is found, what is random is not, and labels in another order are put back."""

import numpy as np
import pytest

from whygrad.frontends.fitting import ORDERS, constant_costs, scores

DRAW = np.random.default_rng(3)
TABLE = DRAW.normal(size=(256, 6))
IDS = DRAW.integers(0, 50, (256, 12))
SIDE = (TABLE @ DRAW.normal(size=6) > 0).astype(int)

RELATED = {
    "a line": (TABLE, TABLE[:, 0] * 2 + 0.5 * DRAW.normal(size=256)),
    "a side of it": (TABLE, SIDE),
    "a product": (TABLE[:, :2], (TABLE[:, 0] * TABLE[:, 1] > 0).astype(int)),
    "a word": (IDS, (IDS == 7).any(1).astype(int)),
}
UNRELATED = {
    "classes": (TABLE, DRAW.integers(0, 4, 256)),
    "numbers": (TABLE, DRAW.normal(size=256)),
    "ids": (IDS, DRAW.integers(0, 2, 256)),
}


@pytest.mark.parametrize("case", RELATED)
def test_a_relation_is_found(case: str):
    inputs, labels = RELATED[case]

    assert scores([inputs], labels)[""] > 6


@pytest.mark.parametrize("case", UNRELATED)
def test_random_labels_fit_nothing(case: str):
    inputs, labels = UNRELATED[case]

    assert abs(scores([inputs], labels)[""]) < 4


@pytest.mark.parametrize(
    ("given", "restored"), [(SIDE[::-1], "reversed"), (np.roll(SIDE, 1), "shifted by -1"), (np.roll(SIDE, -2), "shifted by 2")]
)
def test_labels_in_another_order_are_put_back(given: np.ndarray, restored: str):
    found = scores([TABLE], given, ORDERS)

    assert max(found, key=lambda order: found[order]) == restored


def test_labels_that_do_not_vary_are_not_fitted():
    assert scores([TABLE], np.ones(256)) == {}


def test_inputs_that_are_not_finite_do_no_harm():
    broken = TABLE.copy()
    broken[3] = np.nan

    assert scores([broken], SIDE)[""] > 6


def test_a_constant_guess_costs_the_entropy_or_the_variance():
    entropy, variance = constant_costs(np.array([0, 0, 1, 1]))

    assert entropy == pytest.approx(np.log(2))
    assert variance == 0.25
    assert constant_costs(np.array([0.1, 0.2, 0.4]))[0] is None
