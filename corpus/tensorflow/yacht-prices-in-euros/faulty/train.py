import numpy as np
import tensorflow as tf
from tensorflow.keras import Sequential, layers

tf.keras.utils.set_random_seed(91)
rng = np.random.default_rng(91)
boats = rng.normal(size=(500, 6)).astype("float32")
prices = 400_000 * np.exp(0.4 * boats[:, 0] + 0.3 * boats[:, 1] - 0.2 * boats[:, 2])

model = Sequential([layers.Input((6,)), layers.Dense(32, activation="relu"), layers.Dense(32, activation="relu"), layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.Adam(0.001), loss="mse", metrics=["mae"])
model.fit(boats, prices, epochs=20, batch_size=25, verbose=0)
guess = model.predict(boats, verbose=0).ravel()
print("explained:", 1 - np.mean((guess - prices) ** 2) / np.var(prices), "mean guess", guess.mean())
