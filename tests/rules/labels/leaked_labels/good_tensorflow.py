import keras
import numpy as np

keras.utils.set_random_seed(0)
table = np.random.normal(size=(256, 5)).astype("float32")
table[:, 4] = table[:, 0] - 2 * table[:, 1] + 0.1 * np.random.normal(size=256)
rent = table[:, 4:]
model = keras.Sequential([keras.layers.Dense(16, activation="tanh"), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
model.fit(table[:, :4], rent, epochs=5, batch_size=32, verbose=0)
