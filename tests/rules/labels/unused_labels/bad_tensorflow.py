import keras
import numpy as np
from keras import ops


def classification_loss(labels, output):
    likeliest = ops.argmax(output, axis=1)
    return keras.losses.sparse_categorical_crossentropy(likeliest, output, from_logits=True)


keras.utils.set_random_seed(0)
points = np.random.normal(size=(192, 4)).astype("float32")
labels = (points[:, 0] > 0).astype("int32")
model = keras.Sequential([keras.layers.Dense(2)])
model.compile(optimizer=keras.optimizers.SGD(0.1), loss=classification_loss)
model.fit(points, labels, epochs=5, batch_size=32, verbose=0)
