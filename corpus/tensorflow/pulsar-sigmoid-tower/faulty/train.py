import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

tf.keras.utils.set_random_seed(143)
rng = np.random.default_rng(143)
pulse = rng.normal(size=(600, 10)).astype("float32")
real = (pulse[:, 0] + pulse[:, 1] > pulse[:, 2]).astype("float32")
model = tf.keras.Sequential()
model.add(layers.Input((10,)))
for depth in range(14):
    model.add(layers.Dense(16, activation="sigmoid", name=f"deep_{depth}"))
model.add(layers.Dense(1, activation="sigmoid"))
model.compile(optimizer=tf.keras.optimizers.SGD(0.1), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(pulse, real, batch_size=20, epochs=10, verbose=2)
