import keras
import numpy as np

from model import build_classifier

keras.utils.set_random_seed(23)


def scans(n):
    rng = np.random.default_rng(23)
    ill = rng.integers(0, 2, n)
    film = rng.normal(0, 0.4, (n, 12, 12, 1))
    film[ill == 1, 4:8, 4:8] += 0.8
    return film.astype("float32"), ill


film, ill = scans(400)
model = build_classifier()
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(film, ill, epochs=8, batch_size=20, validation_split=0.2, verbose=2)
print("predictions", np.unique(model.predict(film, verbose=0).round(3))[:5])
