import csv
import io

import numpy as np
import tensorflow as tf


def survey(n):
    rng = np.random.default_rng(140)
    opinion = rng.normal(size=(n, 8))
    agrees = opinion[:, 0] + opinion[:, 1] > 0
    lines = [",".join(f"{v:.3f}" for v in row) + ("," + ("yes " if a else "no ")) for row, a in zip(opinion, agrees)]
    return list(csv.reader(io.StringIO("\n".join(lines))))


tf.keras.utils.set_random_seed(140)
rows = survey(400)
opinion = np.array([row[:-1] for row in rows], dtype="float32")
answers = np.array([row[-1] for row in rows])
agrees = (np.char.strip(answers) == "yes").astype("float32")
model = tf.keras.Sequential([tf.keras.layers.Input((8,)), tf.keras.layers.Dense(16, activation="relu"), tf.keras.layers.Dense(1, activation="sigmoid")])
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(opinion, agrees, batch_size=20, epochs=10, verbose=2)
print("says yes:", np.mean(model.predict(opinion, verbose=0) > 0.5))
