import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(45)
rng = np.random.default_rng(45)
spectra = rng.normal(size=(300, 15)).astype("float32")
purity = (spectra[:, :3].sum(1, keepdims=True) + 0.2 * rng.normal(size=(300, 1))).astype("float32")


def new_model():
    return keras.Sequential([keras.Input((15,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])


def run_fold(model, optimizer, train, test):
    for _ in range(25):
        with tf.GradientTape() as tape:
            loss = keras.losses.MeanSquaredError()(purity[train], model(spectra[train], training=True))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return float(np.mean((model(spectra[test]).numpy() - purity[test]) ** 2))


folds = np.array_split(rng.permutation(300), 3)
for i, test in enumerate(folds):
    train = np.concatenate([f for j, f in enumerate(folds) if j != i])
    print("fold", i, "test error", run_fold(new_model(), keras.optimizers.Adam(0.02), train, test))
