import numpy as np
import tensorflow as tf


class OrbitTrainer:
    def __init__(self, net, rate):
        self.net = net
        self.optimizer = tf.keras.optimizers.Adam(rate)
        self.history = []

    def loss(self, states, following):
        guess = self.net.predict(states, verbose=0)
        return tf.reduce_mean(tf.abs(guess - following))

    def fit(self, states, following, steps):
        for _ in range(steps):
            with tf.GradientTape() as tape:
                value = self.loss(states, following)
            grads = tape.gradient(value, self.net.trainable_variables)
            self.optimizer.apply_gradients(zip(grads, self.net.trainable_variables))
            self.history.append(float(value))


tf.keras.utils.set_random_seed(18)
angle = np.random.default_rng(18).uniform(0, 2 * np.pi, (256, 1))
states = np.hstack([np.cos(angle), np.sin(angle)]).astype("float32")
following = np.hstack([np.cos(angle + 0.3), np.sin(angle + 0.3)]).astype("float32")
net = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(16, activation="tanh"), tf.keras.layers.Dense(2)])
trainer = OrbitTrainer(net, 0.01)
trainer.fit(states, following, steps=60)
print("first", trainer.history[0], "last", trainer.history[-1])
