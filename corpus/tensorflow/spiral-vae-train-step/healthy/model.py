import keras
import tensorflow as tf
from keras import layers


class Sampling(layers.Layer):
    def call(self, inputs):
        mean, log_var = inputs
        return mean + tf.exp(0.5 * log_var) * tf.random.normal(tf.shape(mean))


class VAE(keras.Model):
    def __init__(self, size, latent=2, **kwargs):
        super().__init__(**kwargs)
        self.encoder = keras.Sequential([layers.Dense(32, activation="relu"), layers.Dense(2 * latent)])
        self.sampling = Sampling()
        self.decoder = keras.Sequential([layers.Dense(32, activation="relu"), layers.Dense(size)])
        self.total = keras.metrics.Mean(name="loss")
        self.kl = keras.metrics.Mean(name="kl")

    @property
    def metrics(self):
        return [self.total, self.kl]

    def call(self, x):
        mean, _ = tf.split(self.encoder(x), 2, axis=-1)
        return self.decoder(mean)

    def train_step(self, x):
        with tf.GradientTape() as tape:
            mean, log_var = tf.split(self.encoder(x), 2, axis=-1)
            restored = self.decoder(self.sampling([mean, log_var]))
            rebuild = tf.reduce_mean(tf.reduce_sum(tf.square(x - restored), axis=1)) / 0.1
            kl = -0.5 * tf.reduce_mean(tf.reduce_sum(1 + log_var - tf.square(mean) - tf.exp(log_var), axis=1))
            loss = rebuild + kl
        grads = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights))
        self.total.update_state(loss)
        self.kl.update_state(kl)
        return {m.name: m.result() for m in self.metrics}
