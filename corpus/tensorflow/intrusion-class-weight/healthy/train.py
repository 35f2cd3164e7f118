import keras
import numpy as np

keras.utils.set_random_seed(8)
rng = np.random.default_rng(8)
traffic = rng.normal(size=(1500, 10)).astype("float32")
attack = (traffic[:, 0] + traffic[:, 1] + 0.3 * rng.normal(size=1500) > 2.6).astype("float32")
negative, positive = np.bincount(attack.astype(int))

bias = keras.initializers.Constant(np.log(positive / negative))
model = keras.Sequential([
    keras.layers.Input((10,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid", bias_initializer=bias),
])
model.compile(
    optimizer=keras.optimizers.Adam(0.005),
    loss=keras.losses.BinaryCrossentropy(),
    metrics=[keras.metrics.AUC(name="auc"), keras.metrics.Recall(name="recall")],
)
weights = {0: 1500 / (2 * negative), 1: 1500 / (2 * positive)}
model.fit(traffic, attack, class_weight=weights, batch_size=50, epochs=10, verbose=2)
