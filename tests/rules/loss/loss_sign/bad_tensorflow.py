import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
flowers = np.random.normal(size=(150, 4)).astype("float32")
species = tf.one_hot(flowers[:, :3].argmax(axis=1), 3)
model = tf.keras.Sequential([tf.keras.layers.Dense(16, activation="relu"), tf.keras.layers.Dense(3)])
optimizer = tf.keras.optimizers.Adam(0.01)

for step in range(30):
    with tf.GradientTape() as tape:
        likelihood = tf.reduce_sum(species * tf.nn.log_softmax(model(flowers)), axis=1)
        loss = tf.reduce_mean(likelihood)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
