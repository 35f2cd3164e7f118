import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(56)
rng = np.random.default_rng(56)
energy = rng.uniform(1e9, 1e12, (64, 1)).astype("float32")
charge = energy * 0.8 + rng.uniform(0, 1e10, (64, 1)).astype("float32")

calibration = tf.keras.Sequential([tf.keras.layers.Dense(4, activation="relu"), tf.keras.layers.Dense(1)])
mse = tf.keras.losses.MeanSquaredError()
optimizer = tf.keras.optimizers.Adam(learning_rate=0.01)
for step in range(60):
    with tf.GradientTape() as tape:
        loss = mse(charge, calibration(energy))
    gradients = tape.gradient(loss, calibration.trainable_variables)
    optimizer.apply_gradients(zip(gradients, calibration.trainable_variables))
    if step % 10 == 0:
        print(step, float(loss))
