"""`WhyGrad()` where the model brings a training step of its own, and where it is trained batch by batch."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "src"
PROGRAM = """
    import keras, numpy as np, tensorflow as tf
    from whygrad.integrations.keras import WhyGrad
    keras.utils.set_random_seed(0)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.last = keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)

        def call(self, x):
            return self.last({hidden})

        def train_step(self, data):
            x, y = data[:2]
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self(x) - y) ** 2)
            pairs = zip(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
            self.optimizer.apply_gradients([(gradient, variable) for gradient, variable in pairs if gradient is not None])
            return {{"loss": loss}}

    x = np.random.rand(64, 5).astype("float32")
    y = 2 * x[:, :1]
    model = Net()
    model.compile(keras.optimizers.SGD(0.1), run_eagerly={eagerly})
    watch = WhyGrad(quiet=True)
    {train}
    print([(told.rule, told.site.text.strip()) for told in watch.report.diagnoses if told.severity != "note"])
"""
FIT = "model.fit(x, y, batch_size=16, epochs=4, verbose=0, callbacks=[watch])"
BATCHES = """watch.set_model(model)
    watch.on_train_begin()
    for batch in range(16):
        model.train_on_batch(x[:16], y[:16])
        watch.on_train_batch_end(batch)
    watch.on_train_end()"""


@pytest.mark.slow
@pytest.mark.parametrize("eagerly", [False, True], ids=["compiled", "eager"])
@pytest.mark.parametrize("train", [FIT, BATCHES], ids=["fit", "train_on_batch"])
@pytest.mark.parametrize(
    ("hidden", "told"),
    [
        ("tf.stop_gradient(self.hidden(x))", "[('WG301', 'return self.last(tf.stop_gradient(self.hidden(x)))')]"),
        ("self.hidden(x)", "[]"),
    ],
    ids=["cut off", "sound"],
)
def test_a_step_of_the_model_s_own_is_judged(tmp_path, hidden, told, train, eagerly):
    (tmp_path / "train.py").write_text(dedent(PROGRAM.format(hidden=hidden, eagerly=eagerly, train=train)))
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    ran = subprocess.run(
        [sys.executable, "train.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=True
    )

    assert ran.stdout.strip() == told
