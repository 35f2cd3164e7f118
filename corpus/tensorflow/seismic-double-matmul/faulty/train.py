import numpy as np
import tensorflow as tf


class Locator(tf.Module):
    def __init__(self, stations):
        super().__init__()
        self.w = tf.Variable(tf.random.normal((stations, 2), stddev=0.1))
        self.b = tf.Variable(tf.zeros(2))

    def __call__(self, waves):
        return tf.matmul(waves, self.w) + self.b


tf.random.set_seed(113)
rng = np.random.default_rng(113)
waves = rng.normal(size=(250, 7))
epicentre = waves @ rng.normal(size=(7, 2))
locator, optimizer = Locator(7), tf.keras.optimizers.SGD(0.1)
for epoch in range(50):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(locator(waves) - epicentre))
    grads = tape.gradient(loss, locator.trainable_variables)
    optimizer.apply_gradients(zip(grads, locator.trainable_variables))
    if epoch % 10 == 0:
        print(epoch, float(loss))
