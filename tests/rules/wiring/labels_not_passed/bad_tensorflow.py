import keras
import numpy as np

keras.utils.set_random_seed(0)
points = np.random.normal(size=(128, 8)).astype("float32")
labels = (points[:, 0] > 0).astype("float32")
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(points, epochs=5, batch_size=16, verbose=0)
