import tensorflow as tf


class StarModel(tf.keras.Model):
    def __init__(self, vocabulary):
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(vocabulary, 8)
        self.average = tf.keras.layers.GlobalAveragePooling1D()
        self.dense = tf.keras.layers.Dense(1)

    def call(self, words):
        stars = 3.0 + self.dense(self.average(self.embedding(words)))
        return stars
