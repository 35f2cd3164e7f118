import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
padding = np.arange(12) >= np.random.randint(6, 13, size=(64, 1))
text = np.where(padding, 0, np.random.randint(1, 30, size=(64, 12)))
model = tf.keras.Sequential([tf.keras.layers.Embedding(30, 16), tf.keras.layers.Dense(30)])
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
optimizer = tf.keras.optimizers.Adam(0.01)

for step in range(40):
    chosen = np.random.randint(0, 64, size=16)
    inputs, targets = text[chosen, :-1], text[chosen, 1:]
    mask = tf.cast(tf.equal(targets, 0), tf.float32)
    with tf.GradientTape() as tape:
        losses = criterion(targets, model(inputs))
        loss = tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
