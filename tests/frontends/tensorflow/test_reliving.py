"""Steps that were not recorded and gave NaN: found again by running the program's own step from earlier values, and put back to the last bit."""

import pytest

from frontends.tensorflow.tensorflow_here import bits, play, recorded, watched
from whygrad.flow import Index
from whygrad.rules.magnitude.non_finite_forward import diagnose as forward
from whygrad.rules.magnitude.non_finite_gradient import diagnose as backward

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

DATA = """
    import numpy as np, tensorflow as tf
    rng = np.random.default_rng(0)
    x = rng.random((64, 4)).astype("float32")
    y = rng.random((64, 1)).astype("float32")
    model = tf.keras.Sequential([tf.keras.layers.Input((4,)), tf.keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
"""
FALLING = """
    def loss(y_true, y_pred):
        return tf.reduce_mean(tf.math.log(y_pred - 1.0 * tf.reduce_mean(y_true) + 0.5))

    model.compile(optimizer=tf.keras.optimizers.SGD(0.05), loss=loss)
    model.fit(x, y, batch_size=16, epochs=20, shuffle=False, verbose=0)
"""
LOOP = """
    optimizer = tf.keras.optimizers.SGD(0.05)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            inner = model(x) - tf.reduce_mean(y) + 0.5
            loss = tf.reduce_mean(tf.math.log(inner))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    for epoch in range(20):
        for at in range(0, 64, 16):
            step(tf.constant(x[at : at + 16]), tf.constant(y[at : at + 16]))
"""
EAGER = LOOP.replace("    @tf.function\n", "    # no graph\n")
ROOT = FALLING.replace("tf.math.log(y_pred - 1.0 * tf.reduce_mean(y_true) + 0.5)", "tf.sqrt(tf.nn.relu(y_pred))").replace("0.05", "0.2")

RARE = """
    y = np.ones((64, 1), "float32")
    y[40:48] = 0.0

    def loss(y_true, y_pred):
        return tf.reduce_sum(y_true * y_pred) / tf.reduce_sum(y_true)

    model.compile(optimizer=tf.keras.optimizers.SGD(0.0001), loss=loss)
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
"""
"""One batch has nothing to divide by."""

HANDED = """
    x[40] = np.nan
    model.compile(optimizer=tf.keras.optimizers.SGD(0.05), loss="mse")
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
"""


def test_a_batch_that_spoilt_the_loss_is_found_in_what_fit_was_handed(tmp_path):
    record = recorded(tmp_path, DATA + HANDED)

    (birth,) = [birth for step in record.steps for birth in step.births]
    assert (birth.stage, birth.step, birth.count, birth.rows) == ("given", 5, 4, (1, 40))


@pytest.mark.parametrize(
    ("program", "line", "op"),
    [(FALLING, 9, "log"), (LOOP, 14, "log"), (EAGER, 14, "log"), (RARE, 12, "/")],
    ids=["fit", "a compiled function", "eager", "another batch of a fit"],
)
def test_the_op_is_named_that_first_gave_nan_in_a_step_that_was_not_recorded(tmp_path, program, line, op):
    record = recorded(tmp_path, DATA + program)
    course = record.courses[0]
    (found,) = forward.check(Index(record))

    assert course.non_finite is not None
    assert course.non_finite > 2
    assert found.site is not None
    assert found.site.line == line
    assert f"`{op}`" in found.message
    assert record.steps[-1].births or record.steps[-2].births


def test_a_derivative_that_is_not_finite_is_found_in_the_step_before_the_loss_is(tmp_path):
    (found,) = backward.check(Index(recorded(tmp_path, DATA + ROOT)))

    assert found.site is not None
    assert found.site.line == 9


@pytest.mark.parametrize("program", [FALLING, LOOP], ids=["fit", "a compiled function"])
def test_training_ends_with_the_same_bits(tmp_path, program):
    plain = bits(play(tmp_path, DATA + program))
    with watched() as (observing, _):
        seen = play(tmp_path, DATA + program)

    assert bits(seen) == plain
    assert not observing.faults
