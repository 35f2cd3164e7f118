import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(11)
rng = np.random.default_rng(11)


def real(n):
    angle = rng.uniform(0, 2 * np.pi, n)
    return np.column_stack([2 * np.cos(angle), np.sin(angle)]).astype("float32")


critic = keras.Sequential([layers.Input((2,)), layers.Dense(24, activation="relu"), layers.Dense(1, activation="sigmoid")])
generator = keras.Sequential([layers.Input((4,)), layers.Dense(24, activation="relu"), layers.Dense(2)])
critic.trainable = False
critic.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy")

for step in range(60):
    fake = generator.predict(rng.normal(size=(64, 4)).astype("float32"), verbose=0)
    samples = np.concatenate([real(64), fake])
    verdict = np.concatenate([np.ones(64), np.zeros(64)])
    loss = critic.train_on_batch(samples, verdict[:, None])
    if step % 10 == 0:
        print("step", step, "critic loss", float(loss))
test = np.concatenate([real(200), generator.predict(rng.normal(size=(200, 4)), verbose=0)])
right = np.mean((critic.predict(test, verbose=0).ravel() > 0.5) == np.repeat([True, False], 200))
print("told apart:", right)
