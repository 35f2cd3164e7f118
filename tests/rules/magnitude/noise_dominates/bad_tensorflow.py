import keras
import numpy as np

keras.utils.set_random_seed(0)
centres = np.random.normal(size=(4, 12))
kinds = np.random.randint(0, 4, size=512)
samples = (centres[kinds] + np.random.normal(size=(512, 12))).astype("float32")
model = keras.Sequential()
for width in (64, 64):
    model.add(keras.layers.Dense(width, activation="relu"))
    model.add(keras.layers.Dropout(0.95))
model.add(keras.layers.Dense(4, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
model.fit(samples, kinds, batch_size=64, epochs=5, verbose=0)
