import keras
import numpy as np

keras.utils.set_random_seed(0)
speed = np.random.normal(size=(128, 3)).astype("float32")
range_left = speed @ np.array([[2.0], [-1.0], [0.5]], dtype="float32")
model = keras.Sequential([keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
model.fit(speed, range_left, batch_size=32, epochs=30, verbose=0)
