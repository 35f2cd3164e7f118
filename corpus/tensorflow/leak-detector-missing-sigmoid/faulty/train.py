import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, losses, metrics, optimizers


class LeakDetector(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = [layers.Dense(48, activation="relu"), layers.Dense(48, activation="relu")]
        self.score = layers.Dense(1)

    def call(self, pressure):
        for layer in self.hidden:
            pressure = layer(pressure)
        return self.score(pressure)


def pipeline(n=600):
    rng = np.random.default_rng(13)
    pressure = rng.normal(0.0, 1.5, (n, 20))
    leak = pressure[:, 3:8].sum(1) < pressure[:, 12:17].sum(1)
    return pressure.astype("float32"), leak.astype("float32")


tf.keras.utils.set_random_seed(13)
pressure, leak = pipeline()
detector = LeakDetector()
detector.compile(optimizers.SGD(0.05), losses.BinaryCrossentropy(), metrics=[metrics.AUC(from_logits=True)])
detector.fit(pressure, leak, epochs=12, batch_size=30, verbose=2)
