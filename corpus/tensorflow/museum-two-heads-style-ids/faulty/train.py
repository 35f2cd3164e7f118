import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(131)
rng = np.random.default_rng(131)
pigments = rng.normal(size=(500, 14)).astype("float32")
style = pigments[:, :6].argmax(axis=1)
year = (pigments[:, 6:8].sum(axis=1) + 0.2 * rng.normal(size=500)).astype("float32")
targets = {"style": style[:, None], "year": year[:, None]}

canvas = keras.Input((14,), name="canvas")
shared = layers.Dense(40, activation="relu")(canvas)
heads = {
    "style": layers.Dense(6, activation="softmax", name="style")(shared),
    "year": layers.Dense(1, name="year")(shared),
}
model = keras.Model(canvas, heads)
model.compile(
    optimizer=keras.optimizers.Adam(0.01),
    loss={"style": "categorical_crossentropy", "year": "mse"},
    loss_weights={"style": 1.0, "year": 0.5},
)
model.fit(pigments, targets, epochs=8, batch_size=25, verbose=2)
