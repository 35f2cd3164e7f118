import keras
import numpy as np

keras.utils.set_random_seed(0)
patients = np.random.normal(size=(192, 6)).astype("float32")
ill = (patients[:, 0] > 0.5).astype("float32")
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1, activation="softmax")])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(patients, ill, epochs=4, batch_size=32, verbose=0)
