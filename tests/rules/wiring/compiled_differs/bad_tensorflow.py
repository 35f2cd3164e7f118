"""The weight of a penalty, which a callback raises, is a Python number on the model."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(size=(160, 4)).astype("float32")
y = x @ np.array([[1.0], [0.0], [-1.0], [0.5]], "float32")


class Sparse(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.penalty = 0.0

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            error = tf.reduce_mean(tf.square(self(x, training=True) - y))
            loss = error + self.penalty * tf.reduce_sum(tf.abs(self.dense.kernel))  # WG706
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        return {"loss": loss}


class Raise(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.penalty = 0.2 * epoch


model = Sparse()
model.compile(keras.optimizers.SGD(0.05))
model.fit(x, y, epochs=4, batch_size=16, verbose=0, callbacks=[Raise()])
