"""Python numbers that a compiled step took in when it was traced, and that the program changes afterwards."""

import pytest

from frontends.tensorflow.tensorflow_here import recorded
from whygrad.flow import Index
from whygrad.rules.wiring.compiled_differs import diagnose

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

LOOP = """
    import numpy as np, tensorflow as tf

    x = tf.constant(np.random.default_rng(0).normal(size=(24, 3)).astype("float32"))
    y = tf.constant(np.random.default_rng(1).normal(size=(24, 1)).astype("float32"))
    w = tf.Variable(np.random.default_rng(2).normal(size=(3, 1)).astype("float32"))
    settings = {"rate": 0.1, "share": 0.0}
    epoch = 0

    class Momentum:
        def __init__(self):
            self.rate, self.count, self.velocity = 0.1, 0, tf.Variable(tf.zeros((3, 1)))

        def apply(self, gradient):
            self.velocity.assign(0.9 * self.velocity + gradient)
            w.assign_sub(self.rate * self.velocity)

    momentum = Momentum()

    def penalty(w):
        return settings["share"] * tf.reduce_sum(w ** 2)

    @tf.function
    def step(x, y, factor=1.0):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((x @ w - y) ** 2)
            MORE
        momentum.apply(tape.gradient(loss, w) * factor)
        return loss

    for epoch in range(30):
        settings["epoch"] = epoch
        rows = slice(0, 16 if epoch % 3 else 8)
        CHANGE
        if epoch < 29:
            step(x[rows], y[rows])
"""

FIT = """
    import keras, numpy as np, tensorflow as tf

    class Noise(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.strength = 0.5
            self.seed = keras.random.SeedGenerator(1)

        def call(self, x, training=False):
            if training:
                return x + self.strength * keras.random.normal(keras.ops.shape(x), seed=self.seed)
            return x

    class Weaken(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            CHANGE

    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    y = x[:, :1] - x[:, 1:2]
    noise = Noise()
    model = keras.Sequential([keras.Input((3,)), noise, keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    for _ in range(2):
        model.fit(x, y, batch_size=16, epochs=4, verbose=0, callbacks=[Weaken()])
        AFTER
"""


def told(folder, program):
    """What the rule says of a program."""
    return list(diagnose.check(Index(recorded(folder, program))))


@pytest.mark.parametrize(
    ("more", "change", "name"),
    [
        ("pass", "momentum.rate = 0.1 * 0.9 ** epoch", "self.rate"),
        ("loss += penalty(w)", "settings['share'] = 0.01 * epoch", "settings['share']"),
        ("loss = loss + (0.01 if epoch > 20 else 0.0) * tf.reduce_sum(w)", "pass", "epoch"),
    ],
    ids=["an attribute of an object", "an entry of a dictionary", "a condition"],
)
def test_a_number_that_the_step_goes_on_with(tmp_path, more, change, name):
    (found,) = told(tmp_path, LOOP.replace("MORE", more).replace("CHANGE", change))

    assert f"`{name}`" in found.message
    assert found.site is not None


@pytest.mark.parametrize(
    ("more", "change"),
    [
        ("pass", "pass"),
        ("momentum.count += 1; loss = loss * (1 - 0.9 ** momentum.count)", "pass"),
        ("tf.print(settings['epoch'], output_stream='file:///dev/null')", "pass"),
        ("print(epoch) if epoch > 100 else None", "momentum.count += 1"),
        ("pass", "step(x[:4], y[:4], tf.constant(0.1 * epoch)); continue"),
        ("loss += settings['share'] * tf.reduce_sum(w ** 2)", "settings['share'] = 0.0"),
        (
            "loss += settings['share'] * tf.reduce_sum(w ** 2)",
            "settings['share'] = float(epoch > 28)",
        ),
    ],
    ids=["nothing changes", "counted while tracing", "printed", "not read", "an argument", "the same number again", "changed at the end"],
)
def test_numbers_that_change_nothing(tmp_path, more, change):
    assert not told(tmp_path, LOOP.replace("MORE", more).replace("CHANGE", change))


def test_a_number_of_a_layer_that_a_callback_changes(tmp_path):
    (found,) = told(tmp_path, FIT.replace("CHANGE", "noise.strength = 0.5 * 0.5 ** epoch").replace("AFTER", "pass"))

    assert "`self.strength` = 0.5" in found.message
    assert found.site is not None
    assert "keras.random.normal" in FIT.splitlines()[found.site.line - 1]


@pytest.mark.parametrize(
    ("change", "after"),
    [("noise.touched = epoch", "pass"), ("pass", "noise.strength *= 0.5; model.compile(keras.optimizers.SGD(0.01), 'mse')")],
    ids=["it is not read", "compiled again"],
)
def test_layers_that_are_read_anew_are_fine(tmp_path, change, after):
    assert not told(tmp_path, FIT.replace("CHANGE", change).replace("AFTER", after))
