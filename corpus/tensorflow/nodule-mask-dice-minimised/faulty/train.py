import numpy as np
import tensorflow as tf
from tensorflow.keras import layers


def dice_coef(y_true, y_pred, smooth=1.0):
    y_true = tf.reshape(tf.cast(y_true, tf.float32), [tf.shape(y_true)[0], -1])
    y_pred = tf.reshape(y_pred, [tf.shape(y_pred)[0], -1])
    overlap = tf.reduce_sum(y_true * y_pred, axis=1)
    total = tf.reduce_sum(y_true, axis=1) + tf.reduce_sum(y_pred, axis=1)
    return tf.reduce_mean((2.0 * overlap + smooth) / (total + smooth))


def slices(n, size=16):
    rng = np.random.default_rng(35)
    grid = np.arange(size)
    cx, cy, r = rng.uniform(4, 12, n), rng.uniform(4, 12, n), rng.uniform(2, 4, n)
    mask = (grid[None, :, None] - cx[:, None, None]) ** 2 + (grid[None, None, :] - cy[:, None, None]) ** 2 < r[:, None, None] ** 2
    image = mask + 0.5 * rng.normal(size=mask.shape)
    return image[..., None].astype("float32"), mask[..., None].astype("float32")


tf.keras.utils.set_random_seed(35)
image, mask = slices(160)
unet = tf.keras.Sequential([
    layers.Input((16, 16, 1)),
    layers.Conv2D(8, 3, padding="same", activation="relu"),
    layers.Conv2D(8, 3, padding="same", activation="relu"),
    layers.Conv2D(1, 1, activation="sigmoid"),
])
unet.compile(optimizer=tf.keras.optimizers.Adam(0.01), loss=dice_coef, metrics=["binary_accuracy"])
unet.fit(image, mask, epochs=8, batch_size=16, verbose=2)
print("dice of the predictions", float(dice_coef(mask, tf.constant(unet.predict(image, verbose=0)))))
