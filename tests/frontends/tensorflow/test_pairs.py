"""What a loop of the program's own takes out of a data set, or hands to its compiled step, is kept for a fit, as what `fit` takes is."""

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
