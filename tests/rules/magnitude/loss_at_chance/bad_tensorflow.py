import keras
import numpy as np

keras.utils.set_random_seed(0)
points = np.random.uniform(-0.5, 0.5, size=(256, 2)).astype("float32")
labels = (points[:, 0] * points[:, 1] > 0).astype("int32")
model = keras.Sequential([keras.layers.Dense(2)])
model.compile(optimizer=keras.optimizers.Adam(0.05), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(points, labels, batch_size=64, epochs=30, verbose=0)
