import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

tf.keras.utils.set_random_seed(72)
rng = np.random.default_rng(72)
mammal = rng.integers(0, 5, 400)
texture = rng.normal(size=(5, 5, 5))
photo = 0.5 * rng.normal(size=(400, 14, 14, 1))
for i, m in enumerate(mammal):
    r, c = rng.integers(0, 9, 2)
    photo[i, r:r + 5, c:c + 5, 0] += texture[m]

base = tf.keras.Sequential([layers.Input((14, 14, 1)), layers.Conv2D(6, 5, activation="relu"), layers.GlobalMaxPooling2D()])
base.trainable = False
model = tf.keras.Sequential([base, layers.Dense(5, activation="softmax")])
model.compile(optimizer=tf.keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
print("head only")
model.fit(photo, mammal, epochs=4, batch_size=20, verbose=2)
before = base.get_weights()[0].copy()

base.trainable = True
print("fine-tuning")
model.fit(photo, mammal, epochs=10, batch_size=20, verbose=2)
print("filters moved by", np.abs(base.get_weights()[0] - before).max())
