import numpy as np
import tensorflow as tf


class Regression(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.layer = tf.keras.layers.Dense(1)

    def error(self, rooms, rent):
        loss = tf.reduce_mean(tf.square(self.layer(rooms) - rent))
        self.last = loss

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = self.error(*data)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        return {"loss": loss}


tf.keras.utils.set_random_seed(0)
rooms = np.random.normal(size=(128, 4)).astype("float32")
model = Regression()
model.compile(optimizer=tf.keras.optimizers.SGD(0.1))
model.fit(rooms, rooms.sum(axis=1, keepdims=True), epochs=2, batch_size=16, verbose=0)
