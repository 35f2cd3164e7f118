import numpy as np
from tensorflow.keras.layers import Conv1D, Dense, GlobalMaxPooling1D, Input
from tensorflow.keras.models import Model
from tensorflow.keras.utils import set_random_seed, to_categorical

set_random_seed(77)
DEFECTS = {"none": 0, "crack": 1, "burr": 2, "dent": 3}

rng = np.random.default_rng(77)
defect = rng.integers(0, len(DEFECTS), 360)
profile = rng.normal(0, 0.3, (360, 40, 1))
for i, d in enumerate(defect):
    at = rng.integers(5, 30)
    profile[i, at:at + 2 * d + 1, 0] += 2.0
labels = to_categorical(defect, num_classes=len(DEFECTS))

trace = Input((40, 1))
h = Conv1D(16, 7, activation="relu")(trace)
h = GlobalMaxPooling1D()(h)
inspector = Model(trace, Dense(len(DEFECTS), activation="softmax")(h))
inspector.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = inspector.fit(profile, labels, validation_split=0.2, epochs=25, batch_size=16, verbose=0)
print({name: round(values[-1], 3) for name, values in history.history.items()})
