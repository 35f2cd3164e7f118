import keras
import numpy as np
from keras import ops


def rounded_error(labels, output):
    return ops.mean(ops.square(output - labels))


keras.utils.set_random_seed(0)
points = np.random.normal(size=(200, 4)).astype("float32")
labels = (points[:, :1] > 0).astype("float32")
model = keras.Sequential([keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1, activation="sigmoid")])
model.compile(optimizer=keras.optimizers.SGD(0.5), loss=rounded_error)
model.fit(points, labels, epochs=5, verbose=0)
