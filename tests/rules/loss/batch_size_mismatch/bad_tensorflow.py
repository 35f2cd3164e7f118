import numpy as np
import tensorflow as tf


class Reader(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.filters = tf.keras.layers.Conv2D(4, 3, padding="same", activation="relu")
        self.head = tf.keras.layers.Dense(10, activation="softmax")

    def call(self, images):
        found = self.filters(images)
        return self.head(tf.reshape(found, (-1, 128)))


tf.keras.utils.set_random_seed(0)
images = np.random.uniform(size=(64, 8, 8, 1)).astype("float32")
digits = images.reshape(64, -1)[:, :10].argmax(axis=1)
model = Reader()
model.compile(optimizer=tf.keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(images, digits, epochs=5, batch_size=16, verbose=0)
