import keras
import numpy as np

keras.utils.set_random_seed(0)
rooms = np.random.normal(size=(256, 4)).astype("float32")
rent = rooms[:, :1] - 2 * rooms[:, 1:2]
model = keras.Sequential([keras.layers.Dense(16, activation="tanh"), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01 / len(rooms)), loss="mse")
model.fit(rooms, rent, epochs=8, verbose=0)
