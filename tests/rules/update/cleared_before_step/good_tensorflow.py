import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
points = np.random.normal(size=(256, 8)).astype("float32")
labels = (points[:, 0] > 0).astype("int32")
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(2)])
model.build((None, 8))
entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.SGD(0.1)
sums = [tf.Variable(tf.zeros_like(weight)) for weight in model.trainable_variables]

for step in range(40):
    for part in range(2):
        chosen = np.random.randint(0, 256, 32)
        with tf.GradientTape() as tape:
            loss = entropy(labels[chosen], model(points[chosen]))
        gradients = tape.gradient(loss, model.trainable_variables)
        for total, gradient in zip(sums, gradients):
            total.assign_add(gradient / 2)
    optimizer.apply_gradients(zip(sums, model.trainable_variables))
    for total in sums:
        total.assign(tf.zeros_like(total))
