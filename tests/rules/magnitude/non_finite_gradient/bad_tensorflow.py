import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
left = np.random.normal(size=(64, 4)).astype("float32")
right = np.random.normal(size=(64, 4)).astype("float32")
right[:8] = left[:8]  # some pairs are the same
target = 1 + np.abs(left - right).sum(axis=1)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6)])
optimizer = keras.optimizers.SGD(0.05)

for step in range(30):
    with tf.GradientTape() as tape:
        squares = tf.reduce_sum((model(left) - model(right)) ** 2, axis=1)
        loss = tf.reduce_mean((tf.sqrt(squares) - target) ** 2)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
