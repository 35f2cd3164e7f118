import keras
import numpy as np

keras.utils.set_random_seed(0)
points = np.random.normal(size=(256, 8)).astype("float32")
labels = (points[:, 0] > 0).astype("int32")
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(2)])
rate = 1e-5
optimizer = keras.optimizers.SGD(learning_rate=0.1, global_clipnorm=rate)
model.compile(optimizer=optimizer, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(points, labels, batch_size=32, epochs=5, verbose=0)
