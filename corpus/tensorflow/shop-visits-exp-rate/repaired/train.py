import numpy as np
import tensorflow as tf

from visits import VisitModel

tf.keras.utils.set_random_seed(1)
rng = np.random.default_rng(81)
area = rng.uniform(40, 900, 500)
passers = rng.uniform(100, 3000, 500)
visits = rng.poisson(area / 100 + passers / 500)
shops = np.column_stack([area, passers, rng.integers(0, 2, 500)]).astype("float32")

model = VisitModel()
model.compile(optimizer=tf.keras.optimizers.Adam(0.005), loss="poisson")
model.fit(shops, visits[:, None].astype("float32"), batch_size=25, epochs=8, verbose=2)
