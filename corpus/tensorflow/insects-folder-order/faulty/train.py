import numpy as np
import tensorflow as tf

from folders import SPECIES, read

tf.keras.utils.set_random_seed(141)
images, labels = read()
train = tf.data.Dataset.from_tensor_slices((images, labels)).batch(30).prefetch(1)
model = tf.keras.Sequential([
    tf.keras.layers.Input((20,)),
    tf.keras.layers.Dense(32, activation="relu"),
    tf.keras.layers.Dense(len(SPECIES), activation="softmax"),
])
model.compile(optimizer=tf.keras.optimizers.SGD(0.2), loss="sparse_categorical_crossentropy")
model.fit(train, epochs=3, verbose=2)
answer = model.predict(images, verbose=0).argmax(1)
print("right:", np.mean(answer == labels), "answers:", np.bincount(answer, minlength=4))
