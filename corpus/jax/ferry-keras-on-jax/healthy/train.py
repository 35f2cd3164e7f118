import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

keras.utils.set_random_seed(5)
rng = np.random.default_rng(5)
route = rng.integers(0, 4, 320)
trip = (rng.normal(size=(4, 10))[route] + 0.6 * rng.normal(size=(320, 10))).astype("float32")

model = keras.Sequential([
    keras.Input((10,)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dropout(0.1),
    keras.layers.Dense(4),
])
model.compile(optimizer=keras.optimizers.Adam(5e-3), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
history = model.fit(trip, route, epochs=8, batch_size=32, verbose=0)
print("loss", history.history["loss"][0], "->", history.history["loss"][-1], "accuracy", history.history["accuracy"][-1])
