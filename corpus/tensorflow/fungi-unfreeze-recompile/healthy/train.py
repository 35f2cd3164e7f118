import keras
import numpy as np

from phases import build, compile_for

keras.utils.set_random_seed(20)
rng = np.random.default_rng(20)
genus = rng.integers(0, 4, 320)
spots = (rng.random((4, 12, 12, 1)) > 0.6)[genus] + 0.3 * rng.normal(size=(320, 12, 12, 1))
spots = spots.astype("float32")
base, model = build()
base.trainable = False
compile_for(model, 0.02)
model.fit(spots, genus, batch_size=20, epochs=4, verbose=2)
base.trainable = True
compile_for(model, 0.002)
model.fit(spots, genus, batch_size=20, epochs=6, verbose=2)
