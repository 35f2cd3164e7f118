import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
patients = np.random.normal(size=(200, 6)).astype("float32")
ill = (patients[:, :1] > 0.5).astype("int64")
model = tf.keras.Sequential([tf.keras.layers.Dense(16, activation="relu"), tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.Adam(0.01)

for step in range(30):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=ill, logits=model(patients)))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
