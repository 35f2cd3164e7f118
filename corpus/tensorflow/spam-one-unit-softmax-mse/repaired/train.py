import numpy as np
from tensorflow.keras.layers import BatchNormalization, Dense, Input
from tensorflow.keras.models import Sequential
from tensorflow.keras.optimizers import Adam
from tensorflow.keras.utils import set_random_seed

set_random_seed(19)
rng = np.random.default_rng(19)
words = rng.poisson(1.0, (500, 30)).astype("float32")
spam = (words[:, :5].sum(1) > words[:, 5:10].sum(1)).astype("float32")

model = Sequential()
model.add(Input((30,)))
model.add(Dense(20, activation="relu"))
model.add(BatchNormalization())
model.add(Dense(10, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="mean_squared_error", optimizer=Adam(learning_rate=0.005), metrics=["accuracy"])
model.fit(words, spam, epochs=10, batch_size=25, validation_split=0.1, verbose=2)
