import keras
import numpy as np
import tensorflow as tf


@tf.custom_gradient
def cube(x):
    def gradient(upstream):
        return upstream * 2 * x

    return x**3, gradient


keras.utils.set_random_seed(0)
rooms = np.random.normal(size=(128, 4)).astype("float32")
rent = (rooms[:, :1] + 0.5) ** 3
model = keras.Sequential([keras.layers.Dense(1), keras.layers.Lambda(cube)])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mae")
model.fit(rooms, rent, epochs=8, verbose=0)
