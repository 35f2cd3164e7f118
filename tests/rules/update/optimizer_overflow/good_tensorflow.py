import keras
import numpy as np

keras.utils.set_random_seed(0)
rooms = np.random.normal(size=(128, 4)).astype("float32")
rent = rooms[:, :1] - rooms[:, 1:2]
importance = 10.0
model = keras.Sequential([keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(0.1), loss="mae", loss_weights=[importance])
model.fit(rooms, rent, epochs=10, verbose=0)
