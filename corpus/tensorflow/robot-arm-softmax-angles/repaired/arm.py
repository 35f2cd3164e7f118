import tensorflow as tf


class InverseKinematics(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.trunk = [tf.keras.layers.Dense(48, activation="relu") for _ in range(2)]
        self.angles = tf.keras.layers.Dense(3)

    def call(self, position):
        for layer in self.trunk:
            position = layer(position)
        return self.angles(position)
