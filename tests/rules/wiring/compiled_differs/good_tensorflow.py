"""The weight is a variable; what else changes in Python is not read by the step, is read anew, or is printed alone."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(size=(160, 4)).astype("float32")
y = x @ np.array([[1.0], [0.0], [-1.0], [0.5]], "float32")


class Sparse(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(tf.zeros((4, 1)), name="kernel")
        self.penalty = tf.Variable(0.0, trainable=False)
        self.rate = 0.05
        self.count = 0
        self.traced = 0
        self.lowest = 1e9

    @tf.function
    def step(self, x, y, rate):
        self.traced += 1
        if self.count < 1:
            print("tracing")
        with tf.GradientTape() as tape:
            error = tf.reduce_mean(tf.square(x @ self.kernel - y))
            loss = error + self.penalty * tf.reduce_sum(tf.abs(self.kernel))
        if self.count % 50 == 49:
            tf.print("count", tf.constant(self.count))
        self.kernel.assign_sub(rate * tape.gradient(loss, self.kernel))
        return loss


model = Sparse()
for at in range(40):
    model.penalty.assign(0.01 * (at // 10))
    rows = slice(at % 10 * 16, at % 10 * 16 + 16)
    model.rate = 0.05 * 0.99**at
    loss = model.step(tf.constant(x[rows]), tf.constant(y[rows]), tf.constant(model.rate))
    model.count += 1
    model.lowest = min(model.lowest, float(loss))
