import numpy as np
import tensorflow as tf
from tensorflow.keras import backend, layers


def my_custom_loss(y_true, y_pred):
    y_pred = tf.clip_by_value(y_pred, 1e-6, 1 - 1e-6)
    t_loss = (-1) * (y_true * tf.math.log(y_pred) + (1 - y_true) * tf.math.log(1 - y_pred))
    return tf.reduce_mean(t_loss)


def transactions(n):
    rng = np.random.default_rng(78)
    x = rng.normal(size=(n, 14)) * rng.lognormal(0.0, 1.0, (n, 1)) * 3.0
    y = (x[:, 0] - x[:, 1] + 0.5 * x[:, 2] > 0).astype("float32")
    return x.astype("float32"), y[:, None]


tf.keras.utils.set_random_seed(78)
x, y = transactions(800)
model = tf.keras.Sequential([
    layers.Input((14,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer=tf.keras.optimizers.Adam(0.01), loss=my_custom_loss, metrics=["binary_accuracy"])
model.fit(x, y, batch_size=20, epochs=8, verbose=2)
