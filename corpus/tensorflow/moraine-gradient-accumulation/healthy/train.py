import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(9)
rng = np.random.default_rng(9)
stone = rng.normal(size=(512, 9)).astype("float32")
age = (stone[:, :1] - stone[:, 1:2] * stone[:, 2:3]).astype("float32")
PARTS = 4

model = tf.keras.Sequential([tf.keras.layers.Input((9,)), tf.keras.layers.Dense(32, activation="relu"), tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.Adam(0.01)
totals = [tf.Variable(tf.zeros_like(v), trainable=False) for v in model.trainable_variables]
batches = tf.data.Dataset.from_tensor_slices((stone, age)).shuffle(512, seed=0).batch(16)

for epoch in range(10):
    losses = []
    for number, (x, y) in enumerate(batches, start=1):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        for total, grad in zip(totals, tape.gradient(loss, model.trainable_variables)):
            total.assign_add(grad / PARTS)
        losses.append(float(loss))
        if number % PARTS == 0:
            optimizer.apply_gradients(zip(totals, model.trainable_variables))
            for total in totals:
                total.assign(tf.zeros_like(total))
    print(f"epoch {epoch} loss {np.mean(losses):.4f}")
