import keras
import numpy as np

keras.utils.set_random_seed(0)
points = np.random.normal(size=(256, 8)).astype("float32")
labels = (points[:, 0] > 0).astype("int32")
hidden = [keras.layers.Dense(16, activation="relu") for _ in range(2)]
model = keras.Sequential([*hidden, keras.layers.Dense(2)])
model.compile(optimizer=keras.optimizers.SGD(0.5), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(points, labels, batch_size=64, epochs=15, verbose=0)
