import keras
import numpy as np
from keras import layers

from layers_pos import TokenAndPosition

keras.utils.set_random_seed(38)
rng = np.random.default_rng(38)
ids = rng.integers(2, 20, (800, 8))
first = rng.integers(0, 4, 800)
second = 4 + rng.integers(0, 4, 800)
ids[np.arange(800), first], ids[np.arange(800), second] = 0, 1
swapped = rng.random(800) < 0.5
ids[swapped] = np.where(ids[swapped] < 2, 1 - ids[swapped], ids[swapped])

words = keras.Input((8,), dtype="int32")
x = TokenAndPosition(8, 20, 16)(words)
x = layers.Add()([x, layers.MultiHeadAttention(2, 8)(x, x)])
x = layers.Dense(32, activation="relu")(x)
x = layers.GlobalAveragePooling1D()(x)
model = keras.Model(words, layers.Dense(1, activation="sigmoid")(x))
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(ids, swapped.astype("float32"), epochs=14, batch_size=40, verbose=2)
