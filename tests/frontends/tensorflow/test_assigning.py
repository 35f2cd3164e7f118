"""Variables that take computed values inside of a tape: their readers get the numbers without the history."""

import pytest

from frontends.tensorflow.tensorflow_here import recorded
from whygrad.flow import Index
from whygrad.rules import load_rules

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

PROGRAM = """
    import keras, numpy as np, tensorflow as tf

    maker = keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(4)])
    head = keras.layers.Dense(1)
    head.build((None, 4))
    slot = MADE
    x = np.random.rand(16, 4).astype("float32")
    y = x.sum(1, keepdims=True) * np.random.rand(16, 1).astype("float32")
    told = np.random.rand(16, 3).astype("float32")
    optimizer = keras.optimizers.SGD(0.1)
    for _ in range(4):
        with tf.GradientTape() as tape:
            scale = maker(told)
            LINE
            loss = tf.reduce_mean((head(x * used) - y) ** 2)
        weights = maker.trainable_variables + head.trainable_variables
        pairs = zip(tape.gradient(loss, weights), weights)
        optimizer.apply_gradients([(gradient, weight) for gradient, weight in pairs if gradient is not None])
"""
PLAIN, OF_KERAS = "tf.Variable(tf.zeros((16, 4)), trainable=False)", 'keras.Variable(np.zeros((16, 4), "float32"), trainable=False)'


def said(folder, made, line):
    """Codes and lines of the errors and warnings."""
    index = Index(recorded(folder, PROGRAM.replace("MADE", made).replace("LINE", line)))
    found = [diagnosis for rule in load_rules() for diagnosis in rule.check(index) if diagnosis.severity != "note"]
    return [(diagnosis.rule, diagnosis.site.line if diagnosis.site else None) for diagnosis in found]


@pytest.mark.parametrize("made", [PLAIN, OF_KERAS], ids=["a variable of TensorFlow's", "a variable of Keras'"])
def test_what_a_variable_takes_is_cut_off(tmp_path, made):
    at = next(at for at, line in enumerate(PROGRAM.splitlines(), 1) if "LINE" in line)

    assert ("WG301", at) in said(tmp_path, made, "slot.assign(scale); used = slot + 0.0")


@pytest.mark.parametrize(
    "line",
    [
        "used = scale; slot.assign(scale)",
        "slot.assign(0.9 * slot + 0.1 * scale); used = scale + tf.stop_gradient(slot - scale)",
        "slot.assign(scale); used = scale * (1 + 0.1 * tf.tanh(slot))",
    ],
    ids=["kept for later", "a straight-through average", "beside an open path"],
)
def test_what_is_kept_beside_an_open_path_is_fine(tmp_path, line):
    assert not said(tmp_path, PLAIN, line)
