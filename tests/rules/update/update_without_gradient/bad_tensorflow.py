import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
points = np.random.normal(size=(256, 8)).astype("float32")
labels = (points[:, 0] > 0).astype("int32")
cats, dogs = keras.layers.Dense(2), keras.layers.Dense(2)
cats.build((None, 8))
dogs.build((None, 8))
weights = cats.trainable_variables + dogs.trainable_variables
entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=0.01)
optimizer.build(weights)

for step in range(40):
    animal = cats if step < 1 else dogs
    chosen = np.random.randint(0, 256, 32)
    with tf.GradientTape() as tape:
        loss = entropy(labels[chosen], animal(points[chosen]))
    gradients = tape.gradient(loss, weights)
    filled = [tf.zeros_like(w) if g is None else g for g, w in zip(gradients, weights)]
    optimizer.apply_gradients(zip(filled, weights))
