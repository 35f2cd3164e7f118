import numpy as np
import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(7)
rng = np.random.default_rng(7)
molecule = rng.normal(size=(800, 12)).astype("float32")
activity = molecule[:, :4].sum(1) + 0.1 * rng.normal(size=800)
broken = rng.random(800) < 0.5
activity[broken] = rng.normal(0, 3, broken.sum())
weight = np.where(broken, 0.0, 1.0).astype("float32")

dataset = tf.data.Dataset.from_tensor_slices((molecule, activity.astype("float32"), weight)).shuffle(800).batch(40)
model = keras.Sequential([keras.layers.Input((12,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="huber", weighted_metrics=["mae"])
model.fit(dataset, epochs=10, verbose=2)
