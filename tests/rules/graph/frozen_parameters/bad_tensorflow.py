import keras
import numpy as np

keras.utils.set_random_seed(0)
backbone = keras.Sequential([keras.layers.Dense(16, activation="tanh")])
model = keras.Sequential([backbone, keras.layers.Dense(2)])
model.trainable = False

images = np.random.normal(size=(128, 8)).astype("float32")
labels = (images[:, 0] > 0).astype("int32")
model.compile(optimizer=keras.optimizers.Adam(0.01), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(images, labels, epochs=8, verbose=0)
