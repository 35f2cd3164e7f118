import keras
import numpy as np

keras.utils.set_random_seed(0)
rooms = np.random.uniform(size=(256, 3)).astype("float32") * np.float32([1.0, 5_000.0, 200_000.0])
rent = (rooms[:, :1] + rooms[:, 1:2] / 5_000.0) / 2
model = keras.Sequential([keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
model.fit(rooms, rent, batch_size=64, epochs=10, verbose=0)
