import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
points = np.random.normal(size=(256, 8)).astype("float32")
labels = (points[:, 0] > 0).astype("int32")
model = tf.keras.Sequential([tf.keras.layers.Dense(16, activation="relu"), tf.keras.layers.Dense(2)])
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.SGD(0.1)

for step in range(40):
    chosen = np.random.randint(0, 256, size=32)
    with tf.GradientTape() as tape:
        loss = criterion(labels[chosen], model(points[chosen])) / len(chosen) ** 2
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
