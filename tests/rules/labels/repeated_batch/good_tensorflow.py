import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
points = np.random.normal(size=(256, 8)).astype("float32")
labels = (points[:, 0] > 0).astype("int32")
data = tf.data.Dataset.from_tensor_slices((points, labels)).shuffle(256).batch(16)
model = tf.keras.Sequential([tf.keras.layers.Dense(16, activation="relu"), tf.keras.layers.Dense(2)])
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.SGD(0.1)

for inputs, kinds in data:
    with tf.GradientTape() as tape:
        loss = criterion(kinds, model(inputs))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
