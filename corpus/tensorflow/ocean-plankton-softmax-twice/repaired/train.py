import numpy as np
import tensorflow as tf
from tensorflow.keras import Model, layers


class PlanktonNet(Model):
    def __init__(self, species):
        super().__init__()
        self.d1 = layers.Dense(64, activation="relu")
        self.d2 = layers.Dense(species)

    def call(self, x):
        return self.d2(self.d1(x))


def make_data(species=30, n=900):
    rng = np.random.default_rng(6)
    y = rng.integers(0, species, n)
    x = rng.normal(size=(species, 24))[y] + 0.4 * rng.normal(size=(n, 24))
    return x.astype("float32"), y


tf.keras.utils.set_random_seed(6)
x, y = make_data()
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.SGD(0.2)
model = PlanktonNet(30)
train_loss = tf.keras.metrics.Mean()
train_accuracy = tf.keras.metrics.SparseCategoricalAccuracy()

for epoch in range(6):
    train_loss.reset_state()
    train_accuracy.reset_state()
    for i in range(0, len(x), 30):
        with tf.GradientTape() as tape:
            predictions = model(x[i:i + 30])
            loss = loss_object(y[i:i + 30], predictions)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        train_loss(loss)
        train_accuracy(y[i:i + 30], predictions)
    print(f"Epoch {epoch + 1}, Loss: {train_loss.result():.3f}, Accuracy: {train_accuracy.result() * 100:.1f}")
