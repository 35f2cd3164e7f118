"""Steps that were not recorded and gave NaN: found again by running the program's own step from earlier values, and put back to the last bit."""

import pytest

from frontends.tensorflow.tensorflow_here import bits, play, recorded, watched
from whygrad.flow import Index
from whygrad.rules.magnitude.non_finite_forward import diagnose as forward
from whygrad.rules.magnitude.non_finite_gradient import diagnose as backward
from whygrad.rules.magnitude.non_finite_input import diagnose as given

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


HIDDEN = """
    import numpy as np, tensorflow as tf
    rng = np.random.default_rng(0)
    x = rng.random((64, 4)).astype("float32")
    y = x[:, :1] - x[:, 1:2]
    x[40, 2] = np.nan
    model = tf.keras.Sequential([tf.keras.layers.Input((4,)), tf.keras.layers.Dense(8, activation="relu"), tf.keras.layers.Dense(1)])
    model.compile(optimizer=tf.keras.optimizers.SGD(0.05), loss="mse")
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
"""


def test_data_that_spoil_a_weight_are_found_though_a_relu_keeps_every_loss_a_number(tmp_path):
    record = recorded(tmp_path, HIDDEN)
    (found,) = given.check(Index(record))

    assert record.courses[0].non_finite is None
    assert found.message == "the input `x` holds NaN or infinity before anything is computed"
    assert any("not finite at the end of the run: `dense" in evidence.statement for evidence in found.evidence)


def test_data_that_are_not_finite_and_that_the_model_makes_numbers_of_are_fine(tmp_path):
    cleaned = HIDDEN.replace("[tf.keras.layers.Input((4,)),", "[tf.keras.layers.Input((4,)), tf.keras.layers.Lambda(known),").replace(
        "    x[40, 2]", "    known = lambda rows: tf.where(tf.math.is_nan(rows), 0.0, rows)\n    x[40, 2]"
    )
    record = recorded(tmp_path, cleaned)

    assert not list(given.check(Index(record)))
    assert not any(step.births for step in record.steps)


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


PAIRS = """
    import numpy as np, tensorflow as tf
    table = tf.keras.layers.Embedding(9, 4)
    optimizer = tf.keras.optimizers.SGD(0.01)
    rows = np.random.default_rng(0).integers(1, 9, (240, 3))
    others = rows.copy()
    others[117] = 0

    def encode(tokens):
        summed = tf.reduce_sum(table(tokens) * tf.cast(tokens > 0, tf.float32)[..., None], axis=1)
        return summed / tf.sqrt(tf.reduce_sum(summed ** 2, axis=1, keepdims=True))

    for PART in tf.data.Dataset.from_tensor_slices(GIVEN).batch(4):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(1 - tf.reduce_sum(encode(ONE) * encode(OTHER), axis=1))
        optimizer.apply_gradients(zip(tape.gradient(loss, table.trainable_variables), table.trainable_variables))
"""


@pytest.mark.parametrize(
    ("part", "given", "one", "other"),
    [
        ("q, a", "(rows, others)", "q", "a"),
        ("both", "(rows, others)", "both[0]", "both[1]"),
        ("row", '{"ask": rows, "answer": others}', 'row["ask"]', 'row["answer"]'),
    ],
    ids=["variables", "a tuple", "a dictionary"],
)
def test_data_that_functions_call_by_one_name_are_told_apart_by_the_loop_that_holds_them(tmp_path, part, given, one, other):
    record = recorded(tmp_path, PAIRS.replace("PART", part).replace("GIVEN", given).replace("ONE", one).replace("OTHER", other))
    (told,) = forward.check(Index(record))

    assert told.site is not None
    assert told.site.line == next(at for at, line in enumerate(PAIRS.splitlines(), 1) if "tf.sqrt" in line)
    assert any("step 29" in evidence.statement for evidence in told.evidence)
