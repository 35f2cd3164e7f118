"""Keras: readings of 1e9 beside readings of 1e-9, as they come from the instrument."""

import keras
import numpy as np

keras.utils.set_random_seed(2)
generator = np.random.default_rng(2)
readings = np.stack([generator.normal(size=256) * 1e9, generator.normal(size=256) * 1e-9], axis=1)
power = readings[:, :1] * 3.0

model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
model.fit(readings, power, epochs=3, batch_size=32, verbose=0)
