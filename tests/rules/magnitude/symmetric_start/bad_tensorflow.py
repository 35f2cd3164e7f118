import keras
import numpy as np

keras.utils.set_random_seed(0)
points = np.random.normal(size=(256, 8)).astype("float32")
labels = (points[:, 0] > 0).astype("int32")
start = keras.initializers.Constant(0.1)
hidden = keras.layers.Dense(16, activation="tanh", kernel_initializer=start)
model = keras.Sequential([hidden, keras.layers.Dense(2, kernel_initializer=start)])
model.compile(optimizer=keras.optimizers.SGD(0.1), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(points, labels, batch_size=32, epochs=5, verbose=0)
