import numpy as np
import tensorflow as tf

from arm import InverseKinematics


def reach(n):
    rng = np.random.default_rng(5)
    angles = rng.uniform(-1.5, 1.5, (n, 3))
    total = np.cumsum(angles, axis=1)
    position = np.column_stack([np.cos(total), np.sin(total)])
    return position.astype("float32"), angles.astype("float32")


tf.keras.utils.set_random_seed(5)
position, angles = reach(800)
model = InverseKinematics()
model.compile("adam", "mse", metrics=["mae"])
model.fit(tf.data.Dataset.from_tensor_slices((position, angles)).batch(20), epochs=15, verbose=2)
