import keras
import numpy as np

keras.utils.set_random_seed(0)
lengths = np.random.randint(4, 13, size=(64, 1))
text = np.where(np.arange(12) < lengths, np.random.randint(1, 30, size=(64, 12)), 0)  # 0 is padding
model = keras.Sequential([keras.layers.Embedding(30, 16), keras.layers.Dense(30, activation="softmax")])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(text[:, :-1], text[:, 1:], epochs=10, batch_size=16, verbose=0)
