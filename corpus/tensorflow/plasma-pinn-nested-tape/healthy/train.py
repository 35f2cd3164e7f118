import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(25)
net = tf.keras.Sequential([
    tf.keras.layers.Input((1,)),
    tf.keras.layers.Dense(24, activation="tanh"),
    tf.keras.layers.Dense(24, activation="tanh"),
    tf.keras.layers.Dense(1),
])
optimizer = tf.keras.optimizers.Adam(0.01)
t = tf.reshape(tf.linspace(0.0, 2.0, 40), (-1, 1))


@tf.function
def step():
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(t)
            u = net(t)
        du = inner.gradient(u, t)
        residual = tf.reduce_mean(tf.square(du + 1.5 * u))
        start = tf.reduce_mean(tf.square(net(tf.zeros((1, 1))) - 1.0))
        loss = residual + start
    grads = outer.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(grads, net.trainable_variables))
    return loss


for number in range(300):
    loss = step()
    if number % 60 == 59:
        error = np.abs(net(t).numpy() - np.exp(-1.5 * t.numpy())).max()
        print(number + 1, f"loss {float(loss):.5f} largest error {error:.4f}")
