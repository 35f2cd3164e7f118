import math

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(54)


def likelihood(height, out):
    mean, log_std = tf.split(out, 2, axis=-1)
    z = (height - mean) * tf.exp(-log_std)
    log_density = -0.5 * tf.square(z) - log_std - 0.5 * math.log(2 * math.pi)
    return tf.reduce_mean(log_density)


rng = np.random.default_rng(54)
wind = rng.normal(size=(600, 4)).astype("float32")
height = (wind[:, :1] + 0.5 * wind[:, 1:2] + 0.3 * rng.normal(size=(600, 1))).astype("float32")

inputs = tf.keras.Input((4,))
h = tf.keras.layers.Dense(24, activation="tanh")(inputs)
outputs = tf.keras.layers.Dense(2)(h)
model = tf.keras.Model(inputs, outputs)
model.compile(tf.keras.optimizers.Adam(0.005), loss=likelihood)
model.fit(wind, height, epochs=8, batch_size=30, verbose=2)
mean = model.predict(wind, verbose=0)[:, :1]
print("mean error", np.abs(mean - height).mean())
