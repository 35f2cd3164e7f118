import keras
import numpy as np

keras.utils.set_random_seed(0)
images = np.random.uniform(size=(64, 8, 8)).astype("float32")
digits = images.reshape(64, -1)[:, :10].argmax(axis=1)
model = keras.Sequential(
    [
        keras.Input((8, 8)),
        keras.layers.Flatten(),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(images, digits, epochs=5, batch_size=16, verbose=0)
