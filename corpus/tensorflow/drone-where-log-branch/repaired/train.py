import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(134)
rng = np.random.default_rng(134)
sensor = rng.normal(size=(400, 6)).astype("float32")
sensor[rng.random(400) < 0.1] = 0.0
power = np.sum((sensor @ rng.normal(size=(6, 2))) ** 2, axis=1)
decibel = np.log(np.where(power > 0, power, 1.0)).astype("float32")
net = tf.keras.Sequential([
    tf.keras.layers.Dense(24, activation="tanh", use_bias=False),
    tf.keras.layers.Dense(2, use_bias=False),
])
optimizer = tf.keras.optimizers.Adam(0.01)


def loudness(vector):
    square = tf.reduce_sum(tf.square(vector), axis=1)
    safe = tf.where(square > 0.0, square, tf.ones_like(square))
    level = tf.where(square > 0.0, tf.math.log(safe), tf.zeros_like(square))
    return level


@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(loudness(net(x)) - y))
    grads = tape.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(grads, net.trainable_variables))
    return loss


for epoch in range(10):
    losses = [float(step(sensor[i:i + 40], decibel[i:i + 40])) for i in range(0, 400, 40)]
    print("epoch", epoch, "error", np.mean(losses))
