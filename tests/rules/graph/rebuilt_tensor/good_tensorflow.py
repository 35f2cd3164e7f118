import keras
import numpy as np
import tensorflow as tf


def weighted_error(prediction, target, weights):
    error = prediction - target
    return tf.reduce_mean(weights * error**2)


keras.utils.set_random_seed(0)
rooms = tf.random.normal((100, 3))
rent = tf.reduce_sum(rooms, axis=1, keepdims=True)
weights = np.linspace(0.5, 1.5, 100, dtype="float32")[:, None]
model = keras.layers.Dense(1)
optimizer = keras.optimizers.SGD(0.1)

for step in range(30):
    with tf.GradientTape() as tape:
        loss = weighted_error(model(rooms), rent, weights)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
