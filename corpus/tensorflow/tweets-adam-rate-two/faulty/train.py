import numpy as np
import tensorflow as tf

from config import CONFIG

tf.keras.utils.set_random_seed(65)
rng = np.random.default_rng(65)
mood = rng.normal(size=CONFIG["vocabulary"])
tweets = rng.integers(0, CONFIG["vocabulary"], (640, CONFIG["length"]))
positive = (mood[tweets].mean(1) > 0).astype("float32")

model = tf.keras.Sequential([
    tf.keras.layers.Input((CONFIG["length"],), dtype="int32"),
    tf.keras.layers.Embedding(CONFIG["vocabulary"], CONFIG["width"]),
    tf.keras.layers.GRU(12),
    tf.keras.layers.Dense(1),
])
model.compile(
    optimizer=tf.keras.optimizers.Adam(CONFIG["rate"]),
    loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[tf.keras.metrics.BinaryAccuracy(threshold=0.0)],
)
model.fit(tweets, positive, batch_size=CONFIG["batch"], epochs=CONFIG["epochs"], verbose=2)
