import keras
import numpy as np

keras.utils.set_random_seed(33)
rng = np.random.default_rng(33)
flats = {
    "size": rng.uniform(25, 140, 450).astype("float32"),
    "floor": rng.integers(0, 8, 450).astype("float32"),
    "centre_km": rng.exponential(3.0, 450).astype("float32"),
}
rent = 22 - 0.06 * flats["size"] + 0.3 * flats["floor"] - 0.9 * flats["centre_km"] + rng.normal(0, 0.5, 450)

inputs = {name: keras.Input((1,), name=name) for name in flats}
scaled = []
for name, node in inputs.items():
    norm = keras.layers.Normalization(axis=None)
    norm.adapt(flats[name])
    scaled.append(norm(node))
h = keras.layers.Concatenate()(scaled)
h = keras.layers.Dense(24, activation="relu")(h)
out = keras.layers.Dense(1, activation="sigmoid", name="rent")(h)
model = keras.Model(inputs, out)
model.compile(optimizer=keras.optimizers.Adam(0.02), loss="mse", metrics=["mae"])
model.fit({k: v[:, None] for k, v in flats.items()}, rent, epochs=12, batch_size=30, verbose=2)
