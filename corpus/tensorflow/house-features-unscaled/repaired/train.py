import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(86)
rng = np.random.default_rng(86)
n = 600
year = rng.integers(1920, 2020, n)
lot = rng.uniform(2000, 40000, n)
rooms = rng.integers(2, 9, n)
crime = rng.exponential(0.5, n)
worth = 0.02 * (year - 1970) + 0.00002 * lot + 0.5 * (rooms - 5) - 1.5 * crime
band = np.digitize(worth, np.quantile(worth, [0.33, 0.66]))
houses = np.column_stack([year, lot, rooms, crime]).astype("float32")
houses = (houses - houses.mean(axis=0)) / houses.std(axis=0)

model = tf.keras.Sequential([
    tf.keras.layers.Input((4,)),
    tf.keras.layers.Dense(32, activation="tanh"),
    tf.keras.layers.Dense(3, activation="softmax"),
])
model.compile(tf.keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(houses, band, epochs=15, batch_size=30, verbose=2)
