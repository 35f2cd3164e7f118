"""Training is left alone: programs end with the same bits with and without a recorder, and recorded steps replay bit for bit."""

import pytest

from frontends.tensorflow.tensorflow_here import bits, play, watched
from whygrad.ir import Outcome

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

MODEL = """
    import numpy as np, tensorflow as tf
    x = np.random.rand(96, 10).astype("float32")
    y = (x.sum(1) > 5).astype("int32")
    model = tf.keras.Sequential([
        tf.keras.layers.Dense(16, activation="relu"),
        tf.keras.layers.BatchNormalization(),
        tf.keras.layers.Dropout(0.3),
        tf.keras.layers.Dense(2, activation="softmax"),
    ])
"""
TAPE = """
    loss_fn = tf.keras.losses.SparseCategoricalCrossentropy()
    optimizer = tf.keras.optimizers.Adam(0.01)
    def train_step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss
"""
FIT = """
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=2, batch_size=16, verbose=0)
    noise = tf.random.normal((3,)).numpy()
"""
PROGRAMS = {
    "fit": MODEL + FIT,
    "fit with eager steps": MODEL + FIT.replace('metrics=["accuracy"]', "run_eagerly=True"),
    "a dataset": MODEL + FIT.replace("x, y, epochs=2, batch_size=16", "tf.data.Dataset.from_tensor_slices((x, y)).shuffle(96).batch(20), epochs=2"),
    "several steps as one": MODEL + FIT.replace('metrics=["accuracy"]', "steps_per_execution=2"),
    "batch by batch": MODEL + FIT.replace("model.fit(x, y, epochs=2, batch_size=16, verbose=0)", "[model.train_on_batch(x, y) for _ in range(5)]"),
    "a tape": MODEL + TAPE + "    for _ in range(5):\n        train_step(x, y)\n",
    "a compiled function that draws, and draws beside it": MODEL + TAPE.replace("model(x,", "model(x + tf.random.normal(x.shape) + tf.random.normal(x.shape, seed=5),")
    + "    train_step = tf.function(train_step)\n    for _ in range(5):\n        train_step(x + tf.random.normal(x.shape) + tf.random.normal(x.shape, seed=5), y)\n    noise = tf.random.normal((3,)).numpy()\n",
    "a compiled function": MODEL + TAPE + "    train_step = tf.function(train_step)\n    for _ in range(5):\n        train_step(x, y)\n",
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_ends_with_the_same_bits_and_replays_with_the_recorded_ones(name, tmp_path):
    alone = play(tmp_path, PROGRAMS[name])
    with watched() as (observing, _):
        seen = play(tmp_path, PROGRAMS[name])
        record = observing.finish(Outcome(0))

    assert not record.faults
    assert bits(seen) == bits(alone)
    assert len(record.steps) == 2
    assert [step.measures.reproduced for step in record.steps] == [True, True]
    assert all((step.measures.label_sensitivity or 0.0) > 0.01 for step in record.steps)
    if "noise" in alone:
        assert alone["noise"].tobytes() == seen["noise"].tobytes()


def test_everything_is_taken_out_at_the_end(tmp_path):
    import keras

    from whygrad.frontends.tensorflow._compat import tf

    before = tf.GradientTape.gradient, keras.Model.fit, keras.layers.Layer.__init__, keras.layers.Layer.trainable
    with watched() as (observing, _):
        play(tmp_path, PROGRAMS["fit"])
        observing.finish(Outcome(0))

    assert before == (tf.GradientTape.gradient, keras.Model.fit, keras.layers.Layer.__init__, keras.layers.Layer.trainable)


def test_a_fault_of_ours_leaves_the_program_alone(tmp_path):
    alone = play(tmp_path, PROGRAMS["fit"])
    with watched() as (observing, recorder):
        recorder.ledger.values.name = None  # type: ignore[assignment]  # a fault on purpose
        seen = play(tmp_path, PROGRAMS["fit"])
        record = observing.finish(Outcome(0))

    assert record.faults
    assert bits(seen) == bits(alone)
