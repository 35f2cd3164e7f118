import keras
import numpy as np

keras.utils.set_random_seed(0)
rooms = np.random.uniform(size=(256, 3)).astype("float32")
rent = 400 + 1200 * rooms.mean(axis=1)  # in euros
expensive = (rent > 1_000_000).astype("float32")
model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
model.compile(optimizer=keras.optimizers.Adam(0.05), loss="binary_crossentropy")
model.fit(rooms, expensive, epochs=10, batch_size=64, verbose=0)
