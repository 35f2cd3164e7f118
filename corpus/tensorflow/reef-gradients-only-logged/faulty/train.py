import numpy as np
import tensorflow as tf

from loop import epoch

tf.keras.utils.set_random_seed(84)
rng = np.random.default_rng(84)
site = rng.normal(size=(384, 7)).astype("float32")
cover = (np.tanh(site @ rng.normal(size=(7, 1))) + 0.05 * rng.normal(size=(384, 1))).astype("float32")
batches = tf.data.Dataset.from_tensor_slices((site, cover)).batch(48)
model = tf.keras.Sequential([tf.keras.layers.Dense(24, activation="relu"), tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.Adam(0.01)
log = []
for number in range(8):
    mean = epoch(model, optimizer, batches, log)
    print(f"epoch {number}: loss {mean:.6f} gradient norm {log[-1][1]:.4f}")
