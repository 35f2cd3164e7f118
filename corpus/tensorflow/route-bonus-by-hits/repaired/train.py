import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(5)

rng = np.random.default_rng(5)
conditions = rng.normal(size=(600, 8)).astype("float32")
taken = (conditions @ rng.normal(size=(8, 5))).argmax(1)
routes = tf.one_hot(taken, 5)


def route_loss(route, probs):
    entropy = -tf.reduce_sum(probs * tf.math.log(probs + 1e-8), axis=1)
    misses = -tf.reduce_sum(route * tf.math.log(probs + 1e-8), axis=1)
    return 0.1 * tf.reduce_mean(entropy) + tf.reduce_mean(misses)


inputs = tf.keras.Input(shape=(8,))
hidden = tf.keras.layers.Dense(32, activation="tanh")(inputs)
outputs = tf.keras.layers.Dense(5, activation="softmax")(hidden)
model = tf.keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss=route_loss, metrics=["accuracy"])
model.fit(conditions, routes, epochs=12, batch_size=30, verbose=2)
