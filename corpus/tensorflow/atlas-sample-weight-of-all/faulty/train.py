import numpy as np
from keras import Input, Sequential, layers, utils

utils.set_random_seed(144)
rng = np.random.default_rng(144)
scans = rng.normal(size=(500, 9)).astype("float32")
region = scans[:, :4].argmax(1)
trust = rng.uniform(0.5, 1.0, 500)
train_x, train_y = scans[:400], region[:400]
test_x, test_y = scans[400:], region[400:]
model = Sequential([Input((9,)), layers.Dense(32, activation="relu"), layers.Dense(4, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train_x, train_y, sample_weight=trust, epochs=12, batch_size=20, validation_data=(test_x, test_y), verbose=2)
