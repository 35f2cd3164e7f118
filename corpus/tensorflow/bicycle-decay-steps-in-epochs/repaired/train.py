import numpy as np
import tensorflow as tf

from schedule import EPOCHS, optimizer

tf.keras.utils.set_random_seed(46)
rng = np.random.default_rng(46)
hour = rng.integers(0, 24, 960)
temperature = rng.normal(size=960)
rented = np.exp(0.5 * np.sin((hour - 8) / 24 * 2 * np.pi) + 0.4 * temperature)

model = tf.keras.Sequential([
    tf.keras.layers.Input((25,)),
    tf.keras.layers.Dense(32, activation="relu"),
    tf.keras.layers.Dense(1),
])
model.compile(optimizer=optimizer(), loss="mse")
table = np.column_stack([np.eye(24)[hour], temperature]).astype("float32")
model.fit(table, rented[:, None], epochs=EPOCHS, batch_size=32, verbose=2)
