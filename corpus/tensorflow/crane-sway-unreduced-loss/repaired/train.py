import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(29)
rng = np.random.default_rng(29)
state = rng.normal(size=(1024, 6)).astype("float32")
sway = (state @ rng.normal(size=(6, 2)) + 0.1 * rng.normal(size=(1024, 2))).astype("float32")

estimator = tf.keras.Sequential([tf.keras.layers.Dense(32, activation="tanh"), tf.keras.layers.Dense(2)])
optimizer = tf.keras.optimizers.SGD(learning_rate=0.05, momentum=0.9)
loss_fn = tf.keras.losses.MeanSquaredError(reduction=None)
batches = tf.data.Dataset.from_tensor_slices((state, sway)).shuffle(1024, seed=0).batch(128)

for epoch in range(6):
    for x, y in batches:
        with tf.GradientTape() as tape:
            per_example = loss_fn(y, estimator(x, training=True))
            loss = tf.reduce_mean(per_example)
        gradients = tape.gradient(loss, estimator.trainable_variables)
        optimizer.apply_gradients(zip(gradients, estimator.trainable_variables))
    print(f"epoch {epoch}: {np.mean(per_example):.5f}")
