import keras
import tensorflow as tf


class Contrastive(keras.Model):
    def __init__(self, encoder, projector, temperature=0.2):
        super().__init__()
        self.encoder = encoder
        self.projector = projector
        self.temperature = temperature
        self.loss_mean = keras.metrics.Mean(name="loss")
        self.pair_accuracy = keras.metrics.SparseCategoricalAccuracy(name="pairs")

    @property
    def metrics(self):
        return [self.loss_mean, self.pair_accuracy]

    def view(self, x):
        kept = tf.cast(tf.random.uniform(tf.shape(x)) > 0.2, tf.float32)
        return x * kept + 0.1 * tf.random.normal(tf.shape(x))

    def train_step(self, x):
        one, two = self.view(x), self.view(x)
        with tf.GradientTape() as tape:
            a = tf.math.l2_normalize(self.projector(self.encoder(one)), axis=1)
            b = tf.math.l2_normalize(self.projector(self.encoder(two)), axis=1)
            similar = tf.matmul(a, b, transpose_b=True) / self.temperature
            own = tf.range(tf.shape(similar)[0])
            loss = keras.losses.sparse_categorical_crossentropy(tf.concat([own, own], 0), tf.concat([similar, tf.transpose(similar)], 0), from_logits=True)
            loss = tf.reduce_mean(loss)
        weights = self.encoder.trainable_weights + self.projector.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        self.loss_mean.update_state(loss)
        self.pair_accuracy.update_state(own, similar)
        return {m.name: m.result() for m in self.metrics}
