import numpy as np
import tensorflow as tf


class WarmUp(tf.keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak, steps):
        self.peak = peak
        self.steps = steps

    def __call__(self, step):
        step = tf.cast(tf.minimum(tf.cast(step, tf.int32), self.steps - 1), tf.float32)
        return self.peak * (step // self.steps)


tf.keras.utils.set_random_seed(116)
rng = np.random.default_rng(116)
lattice = rng.normal(size=(480, 7)).astype("float32")
hardness = (2 * lattice[:, 0] - lattice[:, 1] * lattice[:, 2]).astype("float32")
minerals = tf.data.Dataset.from_tensor_slices((lattice, hardness)).shuffle(480, seed=2).batch(40)

model = tf.keras.Sequential([tf.keras.layers.Dense(40, activation="relu"), tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.Adam(WarmUp(0.02, 20))
for epoch in range(15):
    for x, y in minerals:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x) - y))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
    if epoch % 5 == 4:
        error = np.mean((model(lattice).numpy()[:, 0] - hardness) ** 2)
        print(f"epoch {epoch}: error {error:.3f}, variance {hardness.var():.3f}")
