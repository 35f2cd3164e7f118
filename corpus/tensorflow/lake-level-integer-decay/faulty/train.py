import numpy as np
from tensorflow import keras
from tensorflow.keras.callbacks import LearningRateScheduler
from tensorflow.keras.layers import Dense, Input

RATE = 0.01


def decay(epoch):
    return RATE * (1 // (1 + epoch))


keras.utils.set_random_seed(26)
rng = np.random.default_rng(26)
weather = rng.normal(size=(600, 6)).astype("float32")
level = (np.sin(2 * weather[:, 0]) + weather[:, 1] * weather[:, 2]).astype("float32")

model = keras.Sequential([Input((6,)), Dense(48, activation="relu"), Dense(24, activation="relu"), Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(RATE), loss="mse")
model.fit(weather, level, epochs=15, batch_size=30, verbose=2, callbacks=[LearningRateScheduler(decay)])
