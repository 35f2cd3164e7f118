import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, losses, optimizers

tf.keras.utils.set_random_seed(119)
rng = np.random.default_rng(119)
scene = np.tile([0, 1, 2, 3, 4], 30)
colours = rng.normal(size=(5, 18))
pictures = colours[np.arange(160) % 5] + 0.6 * rng.normal(size=(160, 18))
pictures, scene = tf.constant(pictures, tf.float32), tf.constant(scene)

model = tf.keras.Sequential([layers.Dense(24, activation="relu"), layers.Dense(5, activation="softmax")])
loss_fn = losses.CategoricalCrossentropy()
optimizer = optimizers.Adam(0.01)
for epoch in range(30):
    with tf.GradientTape() as tape:
        outputs = model(pictures)
        loss = loss_fn(scene, outputs)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    if epoch % 10 == 0:
        print("epoch", epoch, "loss", float(loss))
