import numpy as np
from keras import Input, Model, layers, utils

utils.set_random_seed(1)
rng = np.random.default_rng(1)
t = np.linspace(0, 2 * np.pi, 48)
phase = rng.uniform(0, 2 * np.pi, (500, 1))
beats = 0.5 + 0.3 * np.sin(2 * t + phase) + 0.15 * np.sin(6 * t + 2 * phase) + 0.02 * rng.normal(size=(500, 48))
beats = np.clip(beats, 0, 1).astype("float32")

signal = Input((48,))
h = layers.Dense(32, activation="relu")(signal)
code = layers.Dense(3, name="code")(h)
h = layers.Dense(32, activation="relu")(code)
restored = layers.Dense(48, activation="sigmoid")(h)
autoencoder = Model(signal, restored)
autoencoder.compile(optimizer="adam", loss="mse")
autoencoder.fit(beats, beats, epochs=20, batch_size=25, verbose=2)
encoder = Model(signal, code)
print("spread of the code", encoder.predict(beats, verbose=0).std(0))
