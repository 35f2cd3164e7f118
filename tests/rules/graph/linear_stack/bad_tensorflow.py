import keras
import numpy as np

keras.utils.set_random_seed(0)
points = np.random.uniform(-1, 1, size=(512, 2)).astype("float32")
inside = (np.linalg.norm(points, axis=1, keepdims=True) < 0.75).astype("float32")
model = keras.Sequential(
    [
        keras.layers.Dense(32),
        keras.layers.Dense(16),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(points, inside, batch_size=64, epochs=5, verbose=0)
