"""Keras' ways of training a generator and its critic: whether the two work against each other (WG215)."""

import pytest

from frontends.tensorflow.tensorflow_here import recorded
from whygrad.flow import Index
from whygrad.rules.loss.loss_sign import diagnose

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

NETWORKS = """
    import keras, numpy as np, tensorflow as tf
    from keras import layers
    rng = np.random.default_rng(0)
    data = SPREAD * rng.normal(size=(320, 12)).astype("float32") + SHIFT
    critic = keras.Sequential([keras.Input((12,)), layers.Dense(16), layers.LeakyReLU(0.2), layers.Dense(1, activation="sigmoid")])
    maker = keras.Sequential([keras.Input((4,)), layers.Dense(16, activation="relu"), layers.Dense(12)])
"""
BY_BATCHES = """
    critic.compile("adam", "binary_crossentropy")
    critic.trainable = False
    noise = keras.Input((4,))
    both = keras.Model(noise, critic(maker(noise)))
    both.compile("adam", "binary_crossentropy")
    valid, fake = np.ones((32, 1)), np.zeros((32, 1))
    for step in range(4):
        made = maker(rng.normal(size=(32, 4)).astype("float32")).numpy()
        critic.trainable = True
        critic.train_on_batch(data[step * 32 : step * 32 + 32], valid)
        critic.train_on_batch(made, fake)
        critic.trainable = False
        both.train_on_batch(rng.normal(size=(32, 4)).astype("float32"), LABEL)
"""
OWN_STEP = """
    class Pair(keras.Model):
        def __init__(self):
            super().__init__()
            self.critic, self.maker = critic, maker

        def compile(self):
            super().compile()
            self.first, self.second, self.score = keras.optimizers.Adam(), keras.optimizers.Adam(), keras.losses.BinaryCrossentropy()

        def train_step(self, real):
            made = self.maker(tf.random.normal((32, 4)))
            labels = tf.concat([tf.ones((32, 1)), tf.zeros((32, 1))], axis=0) + 0.05 * tf.random.uniform((64, 1))
            with tf.GradientTape() as tape:
                loss = self.score(labels, self.critic(tf.concat([made, real], axis=0)))
            self.first.apply_gradients(zip(tape.gradient(loss, self.critic.trainable_weights), self.critic.trainable_weights))
            with tf.GradientTape() as tape:
                other = self.score(LABEL, self.critic(self.maker(tf.random.normal((32, 4)))))
            self.second.apply_gradients(zip(tape.gradient(other, self.maker.trainable_weights), self.maker.trainable_weights))
            return {"loss": loss, "other": other}

    pair = Pair()
    pair.compile()
    pair.fit(data, batch_size=32, epochs=1, verbose=0)
"""


def said(folder, program, label, *, spread, shift):
    text = (NETWORKS + program).replace("LABEL", label).replace("SPREAD", spread).replace("SHIFT", shift)
    told = list(diagnose.check(Index(recorded(folder, text))))
    lines = (folder / "train.py").read_text().splitlines()
    return [(d.rule, d.severity, d.confidence, lines[d.site.line - 1].strip() if d.site else "") for d in told]


def test_batches_are_told_apart_by_their_figures_where_the_generator_ran_outside(tmp_path):
    (told,) = said(tmp_path, BY_BATCHES, "fake", spread="0.3", shift="2.0")

    assert told[:3] == ("WG215", "warning", "measured")
    assert told[3].startswith("both.train_on_batch(")


def test_a_step_of_the_programs_own_with_both_in_one_batch(tmp_path):
    (told,) = said(tmp_path, OWN_STEP, "tf.ones((32, 1))", spread="0.3", shift="2.0")

    assert told[:3] == ("WG215", "error", "proved")
    assert told[3].startswith("other = self.score(")


@pytest.mark.parametrize(("program", "label"), [(BY_BATCHES, "valid"), (OWN_STEP, "tf.zeros((32, 1))")], ids=["batches", "an own step"])
def test_adversaries_stay_silent(tmp_path, program, label):
    assert not said(tmp_path, program, label, spread="0.3", shift="2.0")


def test_data_that_are_like_what_is_generated_tell_nothing(tmp_path):
    assert not said(tmp_path, BY_BATCHES, "fake", spread="0.5", shift="-0.1")
