import numpy as np
import tensorflow as tf

from folds import FoldNet

tf.keras.utils.set_random_seed(4)
rng = np.random.default_rng(4)
motifs = rng.integers(0, 21, (6, 5))
fold = rng.integers(0, 6, 600)
chains = rng.integers(0, 21, (600, 25))
for chain, kind, at in zip(chains, fold, rng.integers(0, 20, 600)):
    chain[at:at + 5] = motifs[kind]

model = FoldNet(6)
model.compile(
    optimizer=tf.keras.optimizers.Adam(0.01),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(chains, fold, batch_size=30, epochs=10, verbose=2)
