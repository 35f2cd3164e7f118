import numpy as np
import tensorflow as tf

HPARAMS = {"units": 32, "lr": 1e-2, "batch": 20, "epochs": 15}


def build(units):
    return tf.keras.Sequential([
        tf.keras.layers.Input((6,)),
        tf.keras.layers.Dense(units, activation="tanh"),
        tf.keras.layers.Dense(1),
    ])


tf.keras.utils.set_random_seed(138)
rng = np.random.default_rng(138)
site = rng.normal(size=(500, 6)).astype("float32")
humidity = (np.tanh(site[:, :1] + site[:, 1:2]) + 0.1 * rng.normal(size=(500, 1))).astype("float32")
model = build(HPARAMS["units"])
model.compile(optimizer=tf.keras.optimizers.SGD(learning_rate=HPARAMS["lr"]), loss="mse")
model.fit(site, humidity, batch_size=HPARAMS["batch"], epochs=HPARAMS["epochs"], verbose=2)
