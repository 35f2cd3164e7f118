import numpy as np
import tensorflow as tf


class Botanist(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = tf.keras.layers.Dense(16, activation="relu")
        self.scores = tf.keras.layers.Dense(3)

    def call(self, flowers):
        return tf.nn.softmax(self.scores(self.hidden(flowers)))


tf.keras.utils.set_random_seed(0)
flowers = np.random.normal(size=(150, 4)).astype("float32")
species = flowers[:, :3].argmax(axis=1)
model = Botanist()
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam(0.01)

for step in range(30):
    with tf.GradientTape() as tape:
        loss = criterion(species, model(flowers))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
