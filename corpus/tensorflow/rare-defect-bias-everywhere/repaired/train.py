import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(94)
rng = np.random.default_rng(94)
parts = rng.normal(size=(900, 10)).astype("float32")
defect = (parts[:, 0] + parts[:, 1] > 1.8).astype("float32")

prior = keras.initializers.Constant(np.log(defect.mean() / (1 - defect.mean())) * 4)
inputs = keras.Input((10,))
x = inputs
for units in (32, 16):
    x = layers.Dense(units, activation="relu")(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.003), loss="binary_crossentropy", metrics=[keras.metrics.AUC(name="auc")])
model.fit(parts, defect, batch_size=30, epochs=10, verbose=2)
