import numpy as np
import tensorflow as tf


class Applicants(tf.keras.utils.PyDataset):
    def __init__(self, n, batch, seed):
        super().__init__()
        rng = np.random.default_rng(seed)
        self.x = rng.normal(size=(n, 12)).astype("float32")
        self.y = (self.x[:, :4].sum(1) > 0.5 * self.x[:, 4]).astype("float32")[:, None]
        self.batch = batch

    def __len__(self):
        return len(self.x) // self.batch

    def __getitem__(self, i):
        rows = slice(i * self.batch, (i + 1) * self.batch)
        return self.x[rows], self.y[rows]


class DefaultModel(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.body = tf.keras.layers.Dense(24, activation="relu")
        self.head = tf.keras.layers.Dense(1)

    def call(self, x):
        return tf.nn.softmax(self.head(self.body(x)))


tf.keras.utils.set_random_seed(3)
data = Applicants(480, 40, seed=3)
model, bce = DefaultModel(), tf.keras.losses.BinaryCrossentropy()
optimizer = tf.keras.optimizers.Adam(0.01)
for epoch in range(8):
    for x, y in (data[i] for i in range(len(data))):
        with tf.GradientTape() as tape:
            loss = bce(y, model(x))
        grads = tape.gradient(loss, model.trainable_weights)
        optimizer.apply_gradients(zip(grads, model.trainable_weights))
    right = np.mean((model(data.x).numpy() > 0.5) == data.y)
    print(f"epoch {epoch} loss {loss:.4f} right {right:.3f}")
