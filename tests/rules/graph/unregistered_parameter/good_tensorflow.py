import keras
import numpy as np


class Residual(keras.layers.Layer):
    def __init__(self, width):
        super().__init__()
        self.hidden = keras.layers.Dense(width, activation="tanh")

    def call(self, x):
        return x + self.hidden(x)


keras.utils.set_random_seed(0)
weather = np.random.normal(size=(128, 6)).astype("float32")
demand = weather[:, :1] - weather[:, 1:2]
model = keras.Sequential([Residual(6), Residual(6), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
model.fit(weather, demand, epochs=8, verbose=0)
