import keras
import numpy as np

keras.utils.set_random_seed(0)
text = np.random.randint(1, 30, size=(64, 10))
labels = np.where(text == 0, -1, (text + 1) % 30)  # 0 is padding
model = keras.Sequential([keras.layers.Embedding(30, 16), keras.layers.Dense(30, activation="softmax")])
model.compile(
    optimizer=keras.optimizers.Adam(0.01),
    loss=keras.losses.SparseCategoricalCrossentropy(ignore_class=-1),
)
model.fit(text, labels, epochs=8, batch_size=16, verbose=0)
