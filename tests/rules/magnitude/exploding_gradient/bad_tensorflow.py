import keras
import numpy as np
from keras import ops


class Wave(keras.layers.Layer):
    def __init__(self, frequency):
        super().__init__()
        self.inner = keras.layers.Dense(16)
        self.frequency = frequency

    def call(self, x):
        return ops.sin(self.frequency * self.inner(x))


keras.utils.set_random_seed(0)
rooms = np.random.normal(size=(256, 8)).astype("float32")
rent = rooms[:, :1] - rooms[:, 1:2]
waves = [Wave(frequency=10) for _ in range(10)]
model = keras.Sequential([keras.layers.Dense(16), *waves, keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(0.001), loss="mse")
model.fit(rooms, rent, epochs=5, verbose=0)
