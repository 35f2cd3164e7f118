import keras
import numpy as np

from activations import soft_clip

keras.utils.set_random_seed(135)
rng = np.random.default_rng(135)
ray = rng.normal(size=(500, 5)).astype("float32")
focus = np.sin(2 * ray[:, :1]) + ray[:, 1:2] * ray[:, 2:3]
model = keras.Sequential([
    keras.layers.Input((5,)),
    keras.layers.Dense(24, activation=soft_clip),
    keras.layers.Dense(24, activation=soft_clip),
    keras.layers.Dense(1),
])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
model.fit(ray, focus, batch_size=25, epochs=20, verbose=2)
