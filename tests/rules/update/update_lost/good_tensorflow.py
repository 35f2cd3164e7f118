import keras
import numpy as np
from keras import ops


class Signed(keras.optimizers.Optimizer):
    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, learning_rate * ops.sign(gradient))


keras.utils.set_random_seed(0)
points = np.random.normal(size=(256, 8)).astype("float32")
labels = (points[:, 0] > 0).astype("int32")
model = keras.Sequential([keras.layers.Dense(2)])
model.compile(optimizer=Signed(learning_rate=0.01), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(points, labels, batch_size=32, epochs=5, verbose=0)
