import numpy as np
from keras import Sequential, layers, optimizers, utils

utils.set_random_seed(57)
rng = np.random.default_rng(57)
mix = rng.normal(size=(480, 8)).astype("float32")
strength = (mix @ rng.normal(size=8) + 0.5 * np.maximum(mix[:, 0], 0)).astype("float32")

model = Sequential([
    layers.Input((8,)),
    layers.Dense(20, activation="relu"),
    layers.Dense(1),
])
model.compile(optimizer=optimizers.SGD(learning_rate=1.5), loss="mse")
model.fit(mix, strength, batch_size=24, epochs=8, verbose=2)
