import numpy as np

SPECIES = ["ant", "bee", "fly", "moth"]


def read():
    rng = np.random.default_rng(141)
    images, labels = [], []
    shape = rng.normal(size=(4, 20))
    for number, _ in enumerate(SPECIES):
        images.append(shape[number] + 1.5 * rng.normal(size=(600, 20)))
        labels.append(np.full(600, number))
    return np.concatenate(images).astype("float32"), np.concatenate(labels)
