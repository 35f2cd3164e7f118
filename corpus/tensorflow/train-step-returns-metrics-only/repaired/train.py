import keras
import numpy as np
import tensorflow as tf


class NoisyModel(keras.Model):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        gradients = tape.gradient(loss, self.trainable_variables)
        gradients = [tf.clip_by_norm(g, 5.0) for g in gradients]
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


keras.utils.set_random_seed(3)
rng = np.random.default_rng(3)
x = rng.normal(size=(512, 10)).astype("float32")
y = (x[:, :2].prod(1) > 0).astype("float32")
inputs = keras.Input((10,))
h = keras.layers.GaussianNoise(0.05)(inputs)
h = keras.layers.Dense(48, activation="relu")(h)
outputs = keras.layers.Dense(1, activation="sigmoid")(h)
model = NoisyModel(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=10, batch_size=32, verbose=2)
