import keras
import numpy as np
import tensorflow as tf
from keras import layers

LATENT = 6


class GAN(keras.Model):
    def __init__(self, discriminator, generator):
        super().__init__()
        self.discriminator = discriminator
        self.generator = generator
        self.d_loss = keras.metrics.Mean(name="d_loss")
        self.g_loss = keras.metrics.Mean(name="g_loss")

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_fn = loss_fn

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def train_step(self, real):
        n = tf.shape(real)[0]
        fake = self.generator(tf.random.normal((n, LATENT)))
        both = tf.concat([fake, real], axis=0)
        labels = tf.concat([tf.ones((n, 1)), tf.zeros((n, 1))], axis=0)
        labels += 0.05 * tf.random.uniform(tf.shape(labels))
        with tf.GradientTape() as tape:
            d_loss = self.loss_fn(labels, self.discriminator(both))
        grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_weights))

        with tf.GradientTape() as tape:
            verdict = self.discriminator(self.generator(tf.random.normal((n, LATENT))))
            g_loss = self.loss_fn(tf.zeros((n, 1)), verdict)
        grads = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_weights))
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {m.name: m.result() for m in self.metrics}


keras.utils.set_random_seed(3)
height = np.random.default_rng(3).uniform(0.2, 1.0, (640, 1))
bars = (np.linspace(0, 1, 10) < height).astype("float32") * 0.8 + 0.1
discriminator = keras.Sequential([layers.Input((10,)), layers.Dense(24), layers.LeakyReLU(), layers.Dense(1)])
generator = keras.Sequential([layers.Input((LATENT,)), layers.Dense(24, activation="relu"), layers.Dense(10, activation="sigmoid")])
gan = GAN(discriminator, generator)
gan.compile(keras.optimizers.Adam(2e-3), keras.optimizers.Adam(2e-3), keras.losses.BinaryCrossentropy(from_logits=True))
gan.fit(tf.data.Dataset.from_tensor_slices(bars).shuffle(640).batch(32), epochs=15, verbose=2)
