import keras
import numpy as np
import tensorflow as tf

from data import mushrooms
from steps import make_step

keras.utils.set_random_seed(1)
x, y = mushrooms(800)
dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(800, seed=1).batch(40)

model = keras.Sequential([
    keras.Input((10,)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(4, activation="softmax"),
])
step = make_step(model, keras.losses.CategoricalCrossentropy(), keras.optimizers.Adam(0.01))
for epoch in range(6):
    mean = keras.metrics.Mean()
    for cap, kind in dataset:
        mean.update_state(step(cap, kind))
    right = np.mean(model.predict(x, verbose=0).argmax(1) == y.argmax(1))
    print(f"epoch {epoch}: loss {float(mean.result()):.4f} accuracy {right:.3f}")
