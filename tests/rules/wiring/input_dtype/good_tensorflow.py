import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
rooms = tf.constant(np.random.normal(size=(128, 4)), tf.float32)
rent = tf.cast(tf.reduce_sum(rooms, axis=1, keepdims=True), tf.float32)
weight = tf.Variable(tf.random.normal((4, 1)))
optimizer = tf.keras.optimizers.SGD(0.1)

for step in range(30):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(tf.matmul(rooms, weight) - rent))
    optimizer.apply_gradients([(tape.gradient(loss, weight), weight)])
