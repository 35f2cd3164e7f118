import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

tf.keras.utils.set_random_seed(31)
rng = np.random.default_rng(31)
recipe = rng.normal(size=(512, 8)).astype("float32")
swelling = (recipe[:, :1] ** 2 + recipe[:, 1:2]).astype("float32")

body = tf.keras.Sequential([layers.Input((8,)), layers.Dense(32, activation="relu")])
RATE = 0.02
readout = layers.Dense(1)


def train_batch(x, y):
    with tf.GradientTape() as tape:
        estimate = readout(body(x, training=True))
        loss = tf.reduce_mean(tf.square(estimate - y))
    variables = body.trainable_variables + readout.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(loss, variables)):
        variable.assign_sub(RATE * gradient)
    return float(loss)


for epoch in range(10):
    losses = [train_batch(recipe[i:i + 32], swelling[i:i + 32]) for i in range(0, 512, 32)]
    print(f"epoch {epoch}: {np.mean(losses):.3f}")
