import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
lengths = np.random.randint(4, 13, size=(64, 1))
text = np.where(np.arange(12) < lengths, np.random.randint(1, 30, size=(64, 12)), 0)  # 0 is padding
batches = tf.data.Dataset.from_tensor_slices(text).shuffle(64).batch(16).repeat(10)
model = tf.keras.Sequential([tf.keras.layers.Embedding(30, 16, mask_zero=True), tf.keras.layers.Dense(30)])
optimizer = tf.keras.optimizers.Adam(0.01)

for batch in batches:
    inputs, targets = batch[:, :-1], batch[:, 1:]
    with tf.GradientTape() as tape:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=model(inputs))
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
