import keras
import numpy as np
import tensorflow as tf
from keras import layers


class Quantizer(layers.Layer):
    def __init__(self, codes, width, beta=0.25):
        super().__init__()
        self.codes, self.width, self.beta = codes, width, beta

    def build(self, input_shape):
        self.book = self.add_weight(name="book", shape=(self.width, self.codes), initializer="random_uniform")

    def call(self, x):
        distance = tf.reduce_sum(x**2, axis=1, keepdims=True) + tf.reduce_sum(self.book**2, axis=0) - 2 * tf.matmul(x, self.book)
        chosen = tf.one_hot(tf.argmin(distance, axis=1), self.codes)
        quantized = tf.matmul(chosen, self.book, transpose_b=True)
        self.add_loss(self.beta * tf.reduce_mean((tf.stop_gradient(quantized) - x) ** 2))
        self.add_loss(tf.reduce_mean((quantized - tf.stop_gradient(x)) ** 2))
        return x + tf.stop_gradient(quantized - x)


keras.utils.set_random_seed(11)
rng = np.random.default_rng(11)
centres = rng.normal(size=(6, 16))
frames = (centres[rng.integers(0, 6, 600)] + 0.1 * rng.normal(size=(600, 16))).astype("float32")
inputs = keras.Input((16,))
h = layers.Dense(24, activation="relu")(inputs)
h = layers.Dense(4)(h)
h = Quantizer(16, 4)(h)
h = layers.Dense(24, activation="relu")(h)
model = keras.Model(inputs, layers.Dense(16)(h))
model.compile(optimizer=keras.optimizers.Adam(0.005), loss="mse")
model.fit(frames, frames, batch_size=30, epochs=15, verbose=2)
