import numpy as np
import tensorflow as tf
from tensorflow.keras import layers


def weighted(truth, guess):
    weight = np.where(truth > np.median(truth), 2.0, 1.0)
    return np.mean(weight * np.abs(truth - guess)).astype("float32")


def yield_error(y_true, y_pred):
    error = tf.numpy_function(weighted, [y_true, y_pred], tf.float32)
    return tf.reshape(error, ())


tf.keras.utils.set_random_seed(132)
rng = np.random.default_rng(132)
field = rng.normal(size=(480, 10)).astype("float32")
tons = (field[:, :3].sum(1) ** 2 / 3)[:, None]
model = tf.keras.Sequential([layers.Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.Adam(0.01), loss=yield_error)
model.fit(field, tons, batch_size=24, epochs=10, verbose=2)
