import keras
import keras.ops as K
import numpy as np
from keras import layers

keras.utils.set_random_seed(82)


def euclidean(pair):
    left, right = pair
    return K.sqrt(K.sum(K.square(left - right), axis=1, keepdims=True) + 1e-6)


def contrastive(y_true, distance):
    y_true = K.cast(y_true, distance.dtype)
    return K.mean(y_true * K.square(distance) * 0.5 + y_true * distance * 0.1 + (1 - y_true) * K.square(K.maximum(1.0 - distance, 0.0)))


def pairs(n):
    rng = np.random.default_rng(82)
    writer = rng.normal(size=(12, 16))
    a = rng.integers(0, 12, n)
    same = rng.random(n) < 0.5
    b = np.where(same, a, (a + rng.integers(1, 12, n)) % 12)
    left = writer[a] + 0.2 * rng.normal(size=(n, 16))
    right = np.where(same[:, None] & (rng.random((n, 1)) < 0.1), left, writer[b] + 0.2 * rng.normal(size=(n, 16)))
    return left.astype("float32"), right.astype("float32"), same.astype("float32")[:, None]


left, right, same = pairs(600)
embed = keras.Sequential([layers.Input((16,)), layers.Dense(24, activation="relu"), layers.Dense(6)])
a, b = keras.Input((16,)), keras.Input((16,))
distance = layers.Lambda(euclidean)([embed(a), embed(b)])
model = keras.Model([a, b], distance)
model.compile(optimizer=keras.optimizers.RMSprop(0.002), loss=contrastive)
model.fit([left, right], same, batch_size=30, epochs=8, verbose=2)
