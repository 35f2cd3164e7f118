"""What updates are handed: sums that are never cleared, zeros, and what looks like them."""

import numpy as np
import pytest

from whygrad.frontends.jax.sums import Handed, Sums

GRADIENTS = [np.array(row) for row in ([1.0, -2.0], [0.5, 3.0], [-1.5, 0.25], [2.0, 2.0])]


def handed(*updates: np.ndarray, gradients: list[np.ndarray] = GRADIENTS) -> list[Handed | None]:
    """What is said of each update; one gradient comes before each."""
    sums, found = Sums(lambda _: None), []
    for gradient, update in zip(gradients, updates, strict=False):
        sums.derived({"w": gradient})
        found.append(sums.handed({"w": update}))
    return found


def test_a_sum_that_no_update_clears_is_known_at_the_second_one():
    first, second = handed(GRADIENTS[0] / 4, (GRADIENTS[0] + GRADIENTS[1]) / 4)

    assert first is None
    assert second is not None
    assert (second.what, second.names) == ("stale", ("w",))


def test_zeros_in_place_of_a_gradient_are_known_at_once():
    (found,) = handed(np.zeros(2))

    assert found is not None
    assert found.what == "zero"


ONE = [np.array([value]) for value in (3.0, 1.0, 0.5)]
SOUND = {
    "each gradient alone": (GRADIENTS, GRADIENTS),
    "a momentum": ([GRADIENTS[0], 0.9 * GRADIENTS[0] + GRADIENTS[1]], GRADIENTS),
    "gradients that grow a thousandfold": ([GRADIENTS[0], 9e3 * GRADIENTS[1]], [GRADIENTS[0], 9e3 * GRADIENTS[1]]),
    "a momentum of gradients that grow": ([GRADIENTS[0], 0.9 * GRADIENTS[0] + 9e3 * GRADIENTS[1]], [GRADIENTS[0], 9e3 * GRADIENTS[1]]),
    "a slow momentum": ([GRADIENTS[0], 0.99 * GRADIENTS[0] + 9 * GRADIENTS[1]], [GRADIENTS[0], 9 * GRADIENTS[1]]),
    "clipped": ([GRADIENTS[0] / 3, GRADIENTS[1] / 7, GRADIENTS[2] / 2], GRADIENTS),
    "the same gradient again and again": ([GRADIENTS[0]] * 3, [GRADIENTS[0]] * 3),
    "one parameter of one number": (ONE, ONE),
    "zeros now and then": ([GRADIENTS[0], np.zeros(2), GRADIENTS[2]], GRADIENTS),
    "a gradient that is zero itself": ([np.zeros(2)], [np.zeros(2)]),
    "not finite": ([GRADIENTS[0], np.array([np.nan, 1.0])], GRADIENTS),
}


@pytest.mark.parametrize(("updates", "gradients"), SOUND.values(), ids=SOUND)
def test_nothing_is_said_of(updates: list[np.ndarray], gradients: list[np.ndarray]):
    assert handed(*updates, gradients=gradients) == [None] * len(updates)
