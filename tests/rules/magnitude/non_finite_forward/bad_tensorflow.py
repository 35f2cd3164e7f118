import keras
import numpy as np
from keras import ops


def poisson(counts, rate):
    return ops.mean(rate - counts * ops.log(rate))


keras.utils.set_random_seed(0)
sizes = np.random.normal(size=(128, 4)).astype("float32")
counts = np.random.randint(0, 5, size=(128, 1)).astype("float32")
model = keras.Sequential([keras.layers.Dense(1, activation="relu")])
model.compile(optimizer=keras.optimizers.SGD(0.1), loss=poisson)
model.fit(sizes, counts, epochs=8, verbose=0)
