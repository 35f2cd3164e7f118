import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
points = np.random.normal(size=(256, 8)).astype("float32")
labels = (points[:, 0] > 0).astype("int32")
layers = [keras.layers.Dense(16), keras.layers.BatchNormalization(), keras.layers.ReLU(), keras.layers.Dropout(0.2), keras.layers.Dense(2)]
model = keras.Sequential(layers)
model.build((None, 8))
entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.SGD(0.1)

for step in range(40):
    chosen = np.random.randint(0, 256, 32)
    with tf.GradientTape() as tape:
        loss = entropy(labels[chosen], model(points[chosen], training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
