import numpy as np
from tensorflow.keras import Sequential, layers, optimizers, regularizers, utils

utils.set_random_seed(139)
rng = np.random.default_rng(139)
orchid = rng.integers(0, 5, 500)
petals = (rng.normal(size=(5, 12))[orchid] + 0.5 * rng.normal(size=(500, 12))).astype("float32")
decay = regularizers.l2(0.0001)
model = Sequential([
    layers.Input((12,)),
    layers.Dense(32, activation="relu", kernel_regularizer=decay),
    layers.Dense(5, activation="softmax", kernel_regularizer=decay),
])
model.compile(optimizer=optimizers.Adam(0.005), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(petals, orchid, batch_size=25, epochs=12, verbose=2)
