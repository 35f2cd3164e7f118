import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(50)
KANA = 40
rng = np.random.default_rng(50)
brush = rng.random((KANA, 9, 9)) > 0.6
which = rng.integers(0, KANA, 800)
page = (brush[which] + 0.3 * rng.normal(size=(800, 9, 9))).astype("float32")
onehot = tf.keras.utils.to_categorical(which, KANA)

reader = tf.keras.Sequential([
    tf.keras.layers.Input((9, 9)),
    tf.keras.layers.Flatten(),
    tf.keras.layers.Dense(80, activation="relu"),
    tf.keras.layers.Dense(KANA, activation="softmax"),
])
reader.compile(
    optimizer=tf.keras.optimizers.SGD(learning_rate=0.1),
    loss="binary_crossentropy",
    metrics=["binary_accuracy", "categorical_accuracy"],
)
reader.fit(page, onehot, batch_size=20, epochs=10, verbose=2)
