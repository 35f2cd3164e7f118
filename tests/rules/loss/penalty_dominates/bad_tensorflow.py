import keras
import numpy as np

keras.utils.set_random_seed(0)
points = np.random.normal(size=(256, 8)).astype("float32")
labels = (points[:, 0] > 0).astype("int32")
penalty = keras.regularizers.L2(100.0)
model = keras.Sequential(
    [
        keras.layers.Dense(16, activation="relu", kernel_regularizer=penalty),
        keras.layers.Dense(2, activation="softmax", kernel_regularizer=penalty),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(points, labels, epochs=5, batch_size=32, verbose=0)
