import keras
import numpy as np

keras.utils.set_random_seed(17)
rng = np.random.default_rng(17)
water = rng.normal(size=(500, 6)).astype("float32")
growth = (water[:, :2].sum(1, keepdims=True) + 0.5 * rng.normal(size=(500, 1))).astype("float32")
model = keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(24, activation="relu"), keras.layers.Dense(1)])
optimizer = keras.optimizers.SGD(0.05, momentum=0.9, use_ema=True, ema_momentum=0.95)
model.compile(optimizer=optimizer, loss="mse")
model.fit(water, growth, batch_size=25, epochs=8, callbacks=[keras.callbacks.SwapEMAWeights(swap_on_epoch=True)], verbose=2)
print("final", model.evaluate(water, growth, verbose=0))
