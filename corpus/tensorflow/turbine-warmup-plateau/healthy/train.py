import keras
import numpy as np


class WarmUp(keras.callbacks.Callback):
    def __init__(self, peak, steps):
        super().__init__()
        self.peak, self.steps, self.seen = peak, steps, 0

    def on_train_batch_begin(self, batch, logs=None):
        if self.seen <= self.steps:
            self.model.optimizer.learning_rate = self.peak * self.seen / self.steps
        self.seen += 1


keras.utils.set_random_seed(15)
rng = np.random.default_rng(15)
blade = rng.normal(size=(600, 8)).astype("float32")
power = np.tanh(blade[:, :1]) * 2 + blade[:, 1:2] ** 2
model = keras.Sequential([keras.layers.Input((8,)), keras.layers.Dense(32, activation="silu"), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(0.0), loss="mse")
callbacks = [WarmUp(0.02, 30), keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1, min_lr=1e-4)]
model.fit(blade, power, batch_size=30, epochs=10, callbacks=callbacks, verbose=2)
