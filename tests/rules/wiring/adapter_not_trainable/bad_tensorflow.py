import keras
import numpy as np

keras.utils.set_random_seed(0)
points = np.random.normal(size=(128, 8)).astype("float32")
labels = (points[:, 0] > 0).astype("int32")
model = keras.Sequential(
    [
        keras.Input((8,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(2, activation="softmax"),
    ]
)
for layer in model.layers:
    layer.enable_lora(rank=2)
model.trainable = False
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(points, labels, epochs=3, batch_size=16, verbose=0)
