"""What is kept over a run beside its steps: the batches of the program's own loops, for a fit, and single numbers that stand still."""

import pytest

from frontends.tensorflow.tensorflow_here import recorded

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

LOOP = """
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 3, 320)
    rows = (np.eye(3)[kinds] @ rng.normal(size=(3, 6)) + 0.1 * rng.normal(size=(320, 6))).astype("float32")
    order = ORDER
    model = tf.keras.Sequential([tf.keras.Input((6,)), tf.keras.layers.Dense(3)])
    sgd = tf.keras.optimizers.SGD(1e-4)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=model(x)))
        sgd.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
        return loss

    for turn in range(30):
        at = 32 * (turn % 10)
        step(tf.constant(rows[order][at:at + 32]), tf.constant(kinds[at:at + 32]))
"""

EAGER = (
    LOOP.replace("    @tf.function\n", "")
    .replace("turn in range(30)", "x, y in tf.data.Dataset.from_tensor_slices((rows[order], kinds)).repeat(3).batch(32)")
    .replace("        at = 32 * (turn % 10)\n", "")
    .replace("tf.constant(rows[order][at:at + 32]), tf.constant(kinds[at:at + 32])", "x, y")
)


@pytest.mark.parametrize("loop", [LOOP, EAGER], ids=["compiled", "eager"])
@pytest.mark.parametrize(("order", "related"), [("np.arange(320)", True), ("rng.permutation(320)", False)])
def test_the_batches_of_a_loop_are_fitted(tmp_path, loop, order, related):
    record = recorded(tmp_path, loop.replace("ORDER", order))

    (fit,) = record.fits
    assert fit.rows >= 300
    assert fit.score is not None
    assert (fit.score > 12) is related
    assert set(fit.labels) & set(record.steps[0].labels.values)


FACTORS = """
    import tensorflow as tf

    w, share, turns = tf.Variable([0.5, 0.2]), tf.Variable(0.0, trainable=False), tf.Variable(0.0, trainable=False)
    sgd = tf.keras.optimizers.SGD(0.1)
    for turn in range(4):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(w**2) + share * tf.reduce_sum(w) + turns * tf.reduce_max(w)
        sgd.apply_gradients(zip(tape.gradient(loss, [w]), [w]))
        turns.assign_add(1.0)
"""


def test_a_number_in_a_variable_that_stays_is_told_from_one_that_counts(tmp_path):
    record = recorded(tmp_path, FACTORS)

    values = record.steps[0].graph.values
    assert [values[name].called for name in record.standing if name in values] == ["share"]
