import tensorflow as tf
from tensorflow.keras import layers


class Glimpse(tf.keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.scorer = layers.Dense(1, name="scorer")
        self.classify = layers.Dense(classes)

    def call(self, regions):
        score = tf.squeeze(self.scorer(regions), axis=-1)
        choice = tf.nn.softmax(score, axis=1)
        seen = tf.reduce_sum(regions * choice[..., None], axis=1)
        return self.classify(seen)
