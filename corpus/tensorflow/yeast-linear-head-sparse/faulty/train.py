import numpy as np
from keras import Input, Model, layers, optimizers, utils

SITES = ("CYT", "NUC", "MIT", "ME3", "ME2", "ME1", "EXC", "VAC")
utils.set_random_seed(101)


def proteins(n):
    rng = np.random.default_rng(101)
    site = rng.integers(0, len(SITES), n)
    profile = rng.normal(size=(len(SITES), 8))
    return (profile[site] + 0.5 * rng.normal(size=(n, 8))).astype("float32"), site


signals, site = proteins(640)
inputs = Input((8,), name="signals")
x = layers.Dense(48, activation="relu")(inputs)
x = layers.Dropout(0.1)(x)
outputs = layers.Dense(len(SITES), name="site")(x)
model = Model(inputs, outputs)
model.compile(optimizer=optimizers.Adam(5e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(signals, site, batch_size=32, epochs=12, verbose=2)
