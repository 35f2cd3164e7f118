import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Dense, Input
from tensorflow.keras.models import Model


def wrong_calls(y_true, y_pred):
    actual = tf.cast(tf.reshape(y_true, [-1]), tf.int32)
    return tf.keras.losses.sparse_categorical_crossentropy(actual, y_pred)


tf.keras.utils.set_random_seed(99)
rng = np.random.default_rng(99)
form = rng.normal(size=(450, 12)).astype("float32")
outcome = np.digitize(form[:, 0] - form[:, 1], [-0.7, 0.7])

entry = Input((12,))
call = Dense(3, activation="softmax")(Dense(16, activation="relu")(entry))
model = Model(entry, call)
model.compile("adam", loss=wrong_calls, metrics=["sparse_categorical_accuracy"])
model.fit(form, outcome, epochs=10, batch_size=15, verbose=2)
