import tensorflow as tf


class VisitModel(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = tf.keras.layers.Dense(16, activation="relu")
        self.log_rate = tf.keras.layers.Dense(1)

    def call(self, shop):
        return tf.exp(self.log_rate(self.hidden(shop)))
