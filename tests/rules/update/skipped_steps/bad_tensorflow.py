import keras
import numpy as np

keras.mixed_precision.set_global_policy("mixed_float16")
keras.utils.set_random_seed(0)
points = np.random.normal(size=(256, 8)).astype("float32")
labels = (points[:, 0] > 0).astype("int32")
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(2)])
scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=2.0**120)
model.compile(optimizer=scaled, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
model.fit(points, labels, batch_size=32, epochs=3, verbose=0)
