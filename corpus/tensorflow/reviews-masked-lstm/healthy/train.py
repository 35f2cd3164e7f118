import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(5)
rng = np.random.default_rng(5)
taste = rng.normal(size=60)
taste[0] = 0
texts = [rng.integers(1, 60, rng.integers(3, 10)) for _ in range(500)]
labels = np.array([taste[t].sum() > 0 for t in texts], "float32")
padded = keras.utils.pad_sequences(texts, maxlen=20, padding="post")

model = keras.Sequential([
    layers.Input((20,), dtype="int32"),
    layers.Embedding(60, 12, mask_zero=True),
    layers.LSTM(12),
    layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer=keras.optimizers.Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(padded, labels, batch_size=25, epochs=5, validation_split=0.2, verbose=2)
