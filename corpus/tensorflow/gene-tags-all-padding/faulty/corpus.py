import numpy as np

PAD = -1


def pad_tags(sequences, width):
    tags = np.full((len(sequences), width), PAD, dtype="int32")
    for row, sequence in zip(tags, sequences):
        row = sequence
    return tags


def genes(n=300, width=14):
    rng = np.random.default_rng(7)
    lengths = rng.integers(6, width + 1, n)
    bases, tags = np.zeros((n, width), "int32"), []
    for i, length in enumerate(lengths):
        bases[i, :length] = rng.integers(1, 9, length)
        tags.append(bases[i, :length] % 4)
    return bases, pad_tags(tags, width)
