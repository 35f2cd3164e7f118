import numpy as np
import keras
from keras import layers


def patients(n):
    rng = np.random.default_rng(40)
    blood = rng.normal(size=(n, 10)).astype("float32")
    risk = blood[:, 0] + blood[:, 3] - blood[:, 7] + 0.3 * rng.normal(size=n)
    outcome = np.where(risk > 0, 2, 1)
    return blood, outcome - 1


keras.utils.set_random_seed(40)
blood, outcome = patients(583)
model = keras.Sequential(name="liver")
model.add(layers.Input((10,)))
model.add(layers.Dense(16, activation="relu"))
model.add(layers.Dense(8, activation="relu"))
model.add(layers.Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=5)
model.fit(blood, outcome, validation_split=0.25, epochs=15, batch_size=16, callbacks=[stop], verbose=2)
print("mean prediction", model.predict(blood, verbose=0).mean())
