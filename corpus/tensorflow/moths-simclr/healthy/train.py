import keras
import numpy as np
import tensorflow as tf

from contrast import Contrastive

keras.utils.set_random_seed(10)
wings = np.random.default_rng(10).normal(size=(512, 24)).astype("float32")
encoder = keras.Sequential([keras.layers.Input((24,)), keras.layers.Dense(48, activation="relu"), keras.layers.Dense(24)])
projector = keras.Sequential([keras.layers.Input((24,)), keras.layers.Dense(24, activation="relu"), keras.layers.Dense(12)])
model = Contrastive(encoder, projector)
model.compile(optimizer=keras.optimizers.Adam(0.003))
model.fit(tf.data.Dataset.from_tensor_slices(wings).shuffle(512).batch(64), epochs=10, verbose=2)
