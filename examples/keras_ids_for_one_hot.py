"""Keras: class ids where one-hot rows are due, and fewer labels than images."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(4)
generator = np.random.default_rng(4)
images = generator.normal(size=(96, 20)).astype("float32")
species = (images[:90, :3].argmax(axis=1)).astype("int32")

model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(3, activation="softmax")])
objective = keras.losses.CategoricalCrossentropy()
optimizer = keras.optimizers.Adam(0.01)



for step in range(5):
    with tf.GradientTape() as tape:
        scores = model(images, training=True)
        loss = objective(species, scores)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
