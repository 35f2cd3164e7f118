import numpy as np
import tensorflow as tf
from tensorflow.keras import Model
from tensorflow.keras.layers import Conv1D, Dense, Flatten


class TramNet(Model):
    def __init__(self):
        super().__init__()
        self.conv = Conv1D(8, 3, activation="relu")
        self.flatten = Flatten()
        self.d1 = Dense(24, activation="relu")
        self.d2 = Dense(3)

    def call(self, x):
        return self.d2(self.d1(self.flatten(self.conv(x))))


tf.keras.utils.set_random_seed(16)
rng = np.random.default_rng(16)
state = rng.integers(0, 3, 500)
t = np.arange(24)
speed = np.stack([np.sin(t / 2 + p) * (s + 1) for s, p in zip(state, rng.uniform(0, 6, 500))])[..., None] + 0.2 * rng.normal(size=(500, 24, 1))
speed = speed.astype("float32")
train_ds = tf.data.Dataset.from_tensor_slices((speed[:400], state[:400])).shuffle(400).batch(25)
test_ds = tf.data.Dataset.from_tensor_slices((speed[400:], state[400:])).batch(25)
model = TramNet()
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam(0.003)
train_loss = tf.keras.metrics.Mean()
test_accuracy = tf.keras.metrics.SparseCategoricalAccuracy()


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_object(y, model(x, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    train_loss(loss)


@tf.function
def test_step(x, y):
    test_accuracy(y, model(x, training=False))


for epoch in range(6):
    train_loss.reset_state()
    test_accuracy.reset_state()
    for x, y in train_ds:
        train_step(x, y)
    for x, y in test_ds:
        test_step(x, y)
    print(f"Epoch {epoch + 1}, Loss: {train_loss.result():.3f}, Test Accuracy: {test_accuracy.result():.3f}")
