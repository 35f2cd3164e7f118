import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(21)
QUANTILE = 0.8


def pinball(y_true, y_pred):
    error = y_true - y_pred
    return tf.reduce_mean(tf.maximum(QUANTILE * error, (QUANTILE - 1.0) * error))


def sales(days):
    rng = np.random.default_rng(4)
    weekday = rng.integers(0, 7, days)
    rain = rng.random(days)
    price = rng.normal(0.0, 1.0, days)
    loaves = 2.0 + 0.4 * weekday - 1.5 * rain - 0.6 * price + rng.gamma(2.0, 0.3, days)
    return np.column_stack([np.eye(7)[weekday], rain, price]).astype("float32"), loaves.astype("float32")


features, loaves = sales(900)
model = keras.Sequential([
    layers.Input(shape=(9,)),
    layers.Dense(24, activation="relu"),
    layers.Dense(1),
])
model.compile(optimizer=keras.optimizers.Adam(5e-3), loss=pinball, metrics=["mae"])
model.fit(features, loaves, batch_size=32, epochs=8, verbose=2)
covered = np.mean(model.predict(features, verbose=0).ravel() >= loaves)
print(f"days covered by the forecast: {covered:.2f}, wanted {QUANTILE}")
