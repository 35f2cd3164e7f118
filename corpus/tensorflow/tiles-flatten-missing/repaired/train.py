import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

tf.keras.utils.set_random_seed(103)
rng = np.random.default_rng(103)
tile = rng.integers(0, 10, 500)
photo = (rng.random((10, 12, 12))[tile] + 0.3 * rng.normal(size=(500, 12, 12))).astype("float32")

model = tf.keras.Sequential([
    layers.Input((12, 12)),
    layers.Flatten(),
    layers.Dense(64, activation="relu"),
    layers.Dropout(0.2),
    layers.Dense(10),
])
model.compile(
    optimizer="adam",
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(photo, tile, epochs=8, batch_size=25, verbose=2)
