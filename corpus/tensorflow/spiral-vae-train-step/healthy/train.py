import keras
import numpy as np

from model import VAE

keras.utils.set_random_seed(2)
rng = np.random.default_rng(2)
r = rng.uniform(0.2, 2.0, 600)
lift = rng.normal(size=(2, 8))
curve = np.column_stack([r * np.cos(3 * r), r * np.sin(3 * r)]) @ lift
vae = VAE(8)
vae.compile(optimizer=keras.optimizers.Adam(0.003))
vae.fit(curve.astype("float32"), epochs=15, batch_size=30, verbose=2)
