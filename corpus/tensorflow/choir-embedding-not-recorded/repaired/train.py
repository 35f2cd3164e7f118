import keras
import numpy as np
import tensorflow as tf


class Verifier(keras.Model):
    def __init__(self, singers):
        super().__init__()
        self.embedder = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3)])
        self.head = keras.layers.Dense(singers)
        self.spread = keras.metrics.Mean(name="spread")

    def call(self, voice):
        return self.head(self.embedder(voice))

    def train_step(self, data):
        voice, singer = data
        with tf.GradientTape() as tape:
            with tape.stop_recording():
                self.spread.update_state(tf.math.reduce_std(self.embedder(voice)))
            embedded = self.embedder(voice, training=True)
            scores = self.head(embedded)
            loss = self.compute_loss(y=singer, y_pred=scores)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients((g, v) for g, v in zip(grads, self.trainable_variables) if g is not None)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            elif metric.name != "spread":
                metric.update_state(singer, scores)
        return {m.name: m.result() for m in self.metrics}


keras.utils.set_random_seed(25)
rng = np.random.default_rng(25)
singer = rng.integers(0, 9, 540)
voice = (rng.normal(size=(9, 20))[singer] + 0.7 * rng.normal(size=(540, 20))).astype("float32")
model = Verifier(9)
model.compile(
    optimizer=keras.optimizers.Adam(0.01),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(voice, singer, batch_size=27, epochs=8, verbose=2)
