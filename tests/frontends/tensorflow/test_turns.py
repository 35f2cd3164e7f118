"""An iterator that the first epoch uses up, in a loop of the program's own around an eager or a compiled step."""

from pathlib import Path

import pytest

from frontends.tensorflow.tensorflow_here import recorded

PROGRAM = """
import os

import tensorflow as tf

os.utime(__file__, (0, 0))  # or it would count as changed since the recording began

x, y = tf.random.stateless_normal((24, 3), (1, 2)), tf.ones((24, 1))
w = tf.Variable(tf.zeros((3, 1)))

{decorator}
def step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - y))
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss

pairs = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
data = {data}
for epoch in range(3):
    for x_batch, y_batch in data:
        step(x_batch, y_batch)
"""


@pytest.mark.parametrize("decorator", ["@tf.function", ""], ids=["compiled", "eager"])
def test_it_is_found_with_its_loop(tmp_path: Path, decorator: str) -> None:
    (found,) = recorded(tmp_path, PROGRAM.format(decorator=decorator, data="iter(pairs)")).emptied

    assert (found.name, found.type, found.turns) == ("data", "iterator", 3)


def test_a_data_set_is_read_anew(tmp_path: Path) -> None:
    assert not recorded(tmp_path, PROGRAM.format(decorator="@tf.function", data="pairs")).emptied
