import numpy as np

FRAMES = 20


def utterances(rng, n):
    table = rng.normal(size=(12, 10))
    phones = rng.integers(0, 12, (n, FRAMES))
    feats = table[phones] + 0.7 * rng.normal(size=(n, FRAMES, 10))
    lengths = rng.integers(8, FRAMES, n) / FRAMES
    return feats.astype(np.float32), phones, lengths.astype(np.float32)
