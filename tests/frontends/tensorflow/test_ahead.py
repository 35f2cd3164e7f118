"""Batches of `fit` are looked at early only where nothing notices, and reach the steps in their order."""

import numpy as np
import pytest

from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.ahead import TOGETHER, Ahead, at_rest

ROWS = np.arange(60, dtype="float32").reshape(30, 2)


def batches(rows: np.ndarray) -> tf.data.Iterator:
    return iter(tf.data.Dataset.from_tensor_slices((rows, rows[:, :1])).batch(1))


def steps_on(ahead: Ahead, iterator: tf.data.Iterator, *, many: bool) -> tuple[list[float], list[int]]:
    """What each step gets, and how many batches were looked at by then."""
    given: list[float] = []
    looked: list[int] = []
    seen: list[object] = []
    for _ in range(len(ROWS)):
        iterator_of_step = ahead.instead_of(iterator)
        if not ahead.holds(iterator_of_step):
            iterator_of_step = ahead.look(iterator_of_step, seen.extend, many=many)
        given.append(float(next(iterator_of_step)[0][0, 0]))
        looked.append(len(seen))
    return given, looked


@pytest.mark.parametrize(("many", "looked"), [(True, [TOGETHER] * TOGETHER + [30] * 6), (False, list(range(1, 31)))])
def test_steps_run_on_the_batches_in_their_order(many, looked):
    assert steps_on(Ahead(), batches(ROWS), many=many) == (list(ROWS[:, 0]), looked)


def test_an_iterator_that_has_ended_is_left_to_the_step():
    ended = batches(ROWS[:0])

    assert Ahead().look(ended, [].extend, many=True) is ended


def test_what_was_taken_from_one_iterator_is_not_handed_on_for_another():
    ahead, one, other = Ahead(), batches(ROWS), batches(ROWS)
    ahead.look(one, [].extend, many=True)

    assert ahead.instead_of(other) is other


def test_large_batches_are_taken_one_by_one():
    wide = np.zeros((4, 5_000_000), "float32")
    seen: list[object] = []
    Ahead().look(batches(wide), seen.extend, many=True)

    assert len(seen) == 1


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [((ROWS,), True), (({"a": ROWS, "b": tf.ones(3)},), True), ((iter(ROWS),), False), ((batches(ROWS),), False), ((None,), False)],
)
def test_only_arrays_lie_at_rest(inputs, expected):
    assert at_rest(inputs) is expected


@pytest.mark.parametrize("rows", [28, 30], ids=["batches of one size", "a shorter one at the end"])
@pytest.mark.parametrize(
    "form",
    [lambda x: (x, x[:, :1]), lambda x: {"b": tf.cast(x, "int64"), "a": (x, tf.strings.as_string(x))}, lambda x: (x, None), lambda x: x],
    ids=["pairs", "a dictionary", "without labels", "inputs alone"],
)
def test_batches_taken_together_are_handed_on_as_they_were(rows, form):
    data, given = tf.data.Dataset.from_tensor_slices(ROWS[:rows]).batch(4).map(form), list[object]()
    iterator = iter(data)
    again = Ahead().look(iterator, given.extend, many=True)

    assert again.element_spec == iterator.element_spec
    for one, other in zip(tf.nest.flatten(list(again)), tf.nest.flatten(list(data)), strict=True):
        assert (one is other is None) or one.numpy().tolist() == other.numpy().tolist()
