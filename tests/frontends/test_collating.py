"""Which item each row of a batch is."""

import numpy as np
import pytest

from whygrad.frontends.collating import mispaired

LENGTHS = (3, 5, 2, 4)
ITEMS = [{"0": np.arange(n) + 10 * n, "1": np.array(float(at % 2))} for at, n in enumerate(LENGTHS)]
BY_LENGTH = [1, 3, 0, 2]


def padded(order: list[int]) -> np.ndarray:
    return np.array([np.pad(ITEMS[at]["0"], (0, 5 - LENGTHS[at])) for at in order])


def labels(order: list[int]) -> np.ndarray:
    return np.array([ITEMS[at]["1"] for at in order], dtype=np.float32)


def test_inputs_sorted_alone_are_found():
    (found,) = mispaired(ITEMS, {"[0]": padded(BY_LENGTH), "[1]": labels([0, 1, 2, 3])})

    assert (found.path, found.other, found.rows, found.kept) == ("[0]", "[1]", 4, False)
    assert found.moved == 2


def test_labels_sorted_alone_are_found():
    (found,) = mispaired(ITEMS, {"[0]": padded([0, 1, 2, 3]), "[1]": labels([0, 2, 1, 3])})

    assert found.kept


SOUND = {
    "nothing is moved": {"[0]": padded([0, 1, 2, 3]), "[1]": labels([0, 1, 2, 3])},
    "both are sorted": {"[0]": padded(BY_LENGTH), "[1]": labels(BY_LENGTH)},
    "the order is handed out too": {"[0]": padded(BY_LENGTH), "[1]": labels([0, 1, 2, 3]), "[2]": np.array(BY_LENGTH)},
    "labels of another making": {"[0]": padded(BY_LENGTH), "[1]": np.array([1.0, 1.0, 1.0, 0.0])},
    "inputs of another making": {"[0]": padded(BY_LENGTH) + 1, "[1]": labels([0, 1, 2, 3])},
    "fewer rows": {"[0]": padded(BY_LENGTH)[:2], "[1]": labels([0, 1])},
}


@pytest.mark.parametrize("case", SOUND)
def test_what_belongs_together_is_left_alone(case: str):
    assert mispaired(ITEMS, SOUND[case]) == ()


def test_items_of_different_forms_are_left_alone():
    assert mispaired([{"0": np.array(1.0)}, {"1": np.array(1.0)}], {"[0]": np.array([1.0, 2.0])}) == ()


def test_labels_that_go_with_one_of_a_pair_belong_to_it():
    other = padded(BY_LENGTH).astype(np.float32)
    found = mispaired(ITEMS, {"[0]": padded([0, 1, 2, 3]), "[1]": labels([0, 1, 2, 3]), "[2]": other})

    assert {name for item in found for name in (item.path, item.other)} == {"[0]", "[2]"}
