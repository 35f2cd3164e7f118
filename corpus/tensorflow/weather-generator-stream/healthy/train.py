import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(21)
PLACES = 5


def stations(batch=32):
    rng = np.random.default_rng(21)
    climate = np.random.default_rng(0).normal(size=(PLACES, 10))
    while True:
        place = rng.integers(0, PLACES, batch)
        yield {"measured": (climate[place] + 0.6 * rng.normal(size=(batch, 10))).astype("float32")}, np.eye(PLACES, dtype="float32")[place]


stream = tf.data.Dataset.from_generator(
    stations,
    output_signature=({"measured": tf.TensorSpec((None, 10), tf.float32)}, tf.TensorSpec((None, PLACES), tf.float32)),
).prefetch(1)
inputs = tf.keras.Input((10,), name="measured")
h = tf.keras.layers.Dense(32, activation="relu")(inputs)
model = tf.keras.Model(inputs, tf.keras.layers.Dense(PLACES, activation="softmax")(h))
model.compile("adam", tf.keras.losses.CategoricalCrossentropy(label_smoothing=0.1), metrics=["accuracy"])
model.fit(stream, steps_per_epoch=30, epochs=6, verbose=2)
