import keras
import numpy as np
import tensorflow as tf
from keras import layers


class SiameseModel(keras.Model):
    def __init__(self, embedding, margin=0.5):
        super().__init__()
        self.embedding = embedding
        self.margin = margin
        self.tracker = keras.metrics.Mean(name="loss")

    def call(self, triplet):
        anchor, positive, negative = (self.embedding(x) for x in triplet)
        return tf.reduce_sum((anchor - positive) ** 2, -1), tf.reduce_sum((anchor - negative) ** 2, -1)

    def train_step(self, data):
        with tf.GradientTape() as tape:
            near, far = self(data)
            loss = tf.reduce_mean(tf.maximum(near - far + self.margin, 0.0))
        gradients = tape.gradient(loss, self.embedding.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.embedding.trainable_weights))
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}

    @property
    def metrics(self):
        return [self.tracker]


keras.utils.set_random_seed(19)
rng = np.random.default_rng(19)
person = rng.normal(size=(20, 24))
who = rng.integers(0, 20, 600)
other = (who + rng.integers(1, 20, 600)) % 20


def shot(index):
    return (person[index] + 0.8 * rng.normal(size=(len(index), 24))).astype("float32")


triplets = tf.data.Dataset.from_tensor_slices((shot(who), shot(who), shot(other))).batch(30)
embedding = keras.Sequential([layers.Input((24,)), layers.Dense(32, activation="relu"), layers.Dense(8), layers.UnitNormalization()])
siamese = SiameseModel(embedding)
siamese.compile(optimizer=keras.optimizers.Adam(0.002))
siamese.fit(triplets, epochs=12, verbose=2)
