import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

tf.keras.utils.set_random_seed(28)


def barcodes(n, length=20):
    rng = np.random.default_rng(28)
    motif = rng.integers(0, 4, (5, 6))
    lineage = rng.integers(0, 5, n)
    code = rng.integers(0, 4, (n, length))
    for row, kind, at in zip(code, lineage, rng.integers(0, length - 6, n)):
        row[at:at + 6] = motif[kind]
    return np.eye(4, dtype="float32")[code], lineage


code, lineage = barcodes(600)
encoder = tf.keras.Sequential([layers.Input((20, 4)), layers.Conv1D(8, 6, activation="relu"), layers.GlobalMaxPooling1D()], name="encoder")
head = tf.keras.Sequential([layers.Input((8,)), layers.Dense(5)], name="head")
optimizer = tf.keras.optimizers.Adam(0.01)
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_fn(y, head(encoder(x, training=True), training=True))
    variables = encoder.trainable_variables + head.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


data = tf.data.Dataset.from_tensor_slices((code, lineage)).shuffle(600, seed=1).batch(30)
for epoch in range(12):
    total = [float(step(x, y)) for x, y in data]
    right = np.mean(head(encoder(code)).numpy().argmax(1) == lineage)
    print(f"epoch {epoch}: loss {np.mean(total):.3f} right {right:.3f}")
