import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
rooms = np.random.normal(size=(100, 3)).astype("float32")
rent = rooms.sum(axis=1)
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.SGD(0.1)

for step in range(30):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(tf.squeeze(model(rooms), axis=1) - rent))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
