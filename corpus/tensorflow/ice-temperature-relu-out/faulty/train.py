import numpy as np
from tensorflow.keras import Input, Sequential, layers, utils

utils.set_random_seed(64)


def boreholes(n):
    rng = np.random.default_rng(64)
    depth, latitude, snow = rng.random((3, n))
    celsius = -12.0 + 14.0 * depth - 6.0 * latitude + 3.0 * snow + rng.normal(0, 0.3, n)
    return np.column_stack([depth, latitude, snow]).astype("float32"), celsius.astype("float32")


X, celsius = boreholes(512)
net = Sequential([
    Input((3,)),
    layers.Dense(32, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(1, activation="relu"),
])
net.compile(loss="mean_absolute_error", optimizer="adam")
net.fit(X, celsius, batch_size=16, epochs=25, verbose=0)
guess = net.predict(X, verbose=0).ravel()
print("mean error", np.abs(guess - celsius).mean(), "zeros", np.mean(guess == 0))
