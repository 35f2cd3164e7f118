import keras
import numpy as np

keras.utils.set_random_seed(0)
reviews = np.random.normal(size=(200, 8)).astype("float32")
stars = 1 + reviews[:, :5].argmax(axis=1)  # 1 to 5
model = keras.Sequential([keras.layers.Dense(32, activation="relu"), keras.layers.Dense(5, activation="softmax")])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(reviews, stars - 1, epochs=4, batch_size=32, verbose=0)
