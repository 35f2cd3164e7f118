import numpy as np
from tensorflow.keras import utils
from tensorflow.keras.layers import Dense, Flatten, Input
from tensorflow.keras.models import Sequential

utils.set_random_seed(97)
rng = np.random.default_rng(97)
digit = rng.integers(0, 10, 700)
strokes = rng.random((10, 8, 8)) > 0.5
images = (strokes[digit] + 0.4 * rng.normal(size=(700, 8, 8))).astype("float32")

init = "glorot_uniform"
model = Sequential([
    Input((8, 8)),
    Flatten(),
    Dense(40, activation="relu", kernel_initializer=init),
    Dense(20, activation="relu", kernel_initializer=init),
    Dense(10, activation="softmax", kernel_initializer=init),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, digit, batch_size=20, epochs=10, verbose=2)
