import numpy as np
import tensorflow as tf

from glimpse import Glimpse

tf.keras.utils.set_random_seed(133)
rng = np.random.default_rng(133)
kind = rng.integers(0, 5, 600)
where = rng.integers(0, 8, 600)
regions = 0.7 * rng.normal(size=(600, 8, 12))
regions[np.arange(600), where, :5] += 3.0 * np.eye(5)[kind]
regions[np.arange(600), where, 11] += 3.0

model = Glimpse(5)
model.compile(
    optimizer=tf.keras.optimizers.Adam(0.02),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(regions.astype("float32"), kind, batch_size=30, epochs=12, verbose=2)
