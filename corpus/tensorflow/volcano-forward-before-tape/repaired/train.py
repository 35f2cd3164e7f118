import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(37)
rng = np.random.default_rng(37)
tremor = rng.normal(size=(320, 24)).astype("float32")
erupts = (tremor[:, :6].mean(1) > tremor[:, 6:12].mean(1)).astype("float32")[:, None]
weeks = tf.data.Dataset.from_tensor_slices((tremor, erupts)).batch(32)

model = tf.keras.Sequential([
    tf.keras.layers.Dense(24, activation="relu"),
    tf.keras.layers.Dense(1),
])
criterion = tf.keras.losses.BinaryCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam(0.01)

for epoch in range(6):
    for batch, target in weeks:
        with tf.GradientTape() as tape:
            tremor_scores = model(batch, training=True)
            loss = criterion(target, tremor_scores)
        gradients = tape.gradient(loss, model.trainable_weights)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights))
    print("epoch", epoch, "loss", float(loss))
