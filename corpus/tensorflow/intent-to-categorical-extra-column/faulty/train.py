import numpy as np
from keras import layers, models, utils

utils.set_random_seed(17)
rng = np.random.default_rng(17)
intent = rng.integers(1, 4, 270)
tokens = rng.integers(1, 40, (270, 9))
tokens[:, 0] = 40 + intent
targets = utils.to_categorical(intent)

model = models.Sequential([
    layers.Input((9,), dtype="int32"),
    layers.Embedding(50, 12),
    layers.Bidirectional(layers.LSTM(8)),
    layers.Dense(3, activation="softmax"),
])
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(tokens, targets, epochs=8, batch_size=18, verbose=2)
