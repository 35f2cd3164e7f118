import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
states = np.random.normal(size=(256, 4)).astype("float32")
rewards = states[:, :1]
next_states = (0.9 * states + 0.1 * np.random.normal(size=(256, 4))).astype("float32")
value = tf.keras.Sequential([tf.keras.layers.Dense(16, activation="tanh"), tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.Adam(0.01)

for step in range(60):
    chosen = np.random.randint(0, 256, size=64)
    with tf.GradientTape() as tape:
        target = rewards[chosen] + 0.9 * value(next_states[chosen])
        loss = tf.reduce_mean(tf.square(value(states[chosen]) - target))
    gradients = tape.gradient(loss, value.trainable_variables)
    optimizer.apply_gradients(zip(gradients, value.trainable_variables))
