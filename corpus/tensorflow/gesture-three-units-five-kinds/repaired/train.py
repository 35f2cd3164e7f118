import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import GRU, Dense, Input
from tensorflow.keras.models import Model

tf.keras.utils.set_random_seed(92)
GESTURES = ["swipe", "circle", "tap", "shake", "rest"]
rng = np.random.default_rng(92)
label = rng.integers(0, 5, 300)
t = np.linspace(0, 1, 20)
track = np.sin(2 * np.pi * (label[:, None] + 1) * t)[..., None] + 0.1 * rng.normal(size=(300, 20, 3))

sensor = Input((20, 3))
state = GRU(16)(sensor)
gesture = Dense(len(GESTURES), activation="softmax")(state)
model = Model(sensor, gesture)
model.compile(optimizer=tf.keras.optimizers.Adam(0.02), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(track.astype("float32"), label, epochs=12, batch_size=20, verbose=2)
