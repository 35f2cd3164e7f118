import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers, mixed_precision

keras.utils.set_random_seed(14)
mixed_precision.set_global_policy("mixed_float16")
rng = np.random.default_rng(14)
tissue = rng.integers(0, 4, 400)
vessels = (rng.normal(size=(4, 20))[tissue] + 0.6 * rng.normal(size=(400, 20))).astype("float32")

inputs = keras.Input((20,))
x = layers.Dense(64, activation="relu")(inputs)
x = layers.Dense(64, activation="relu")(x)
x = layers.Dense(4)(x)
outputs = layers.Activation("softmax", dtype="float32")(x)
model = keras.Model(inputs, outputs)
optimizer = mixed_precision.LossScaleOptimizer(keras.optimizers.Adam(0.003))
model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(vessels, tissue, batch_size=20, epochs=8, verbose=2)
