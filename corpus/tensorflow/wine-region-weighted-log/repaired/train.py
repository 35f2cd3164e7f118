import numpy as np
import keras
import keras.ops as K
from keras.layers import Dense, Dropout, Input

keras.utils.set_random_seed(9)
REGIONS = 3


def load_bottles(n):
    rng = np.random.default_rng(90)
    profile = rng.normal(size=(REGIONS, 13))
    region = rng.integers(0, REGIONS, n)
    return (profile[region] + rng.normal(size=(n, 13))).astype("float32"), region[:, None]


def region_loss(y_true, y_pred):
    y_true = K.cast(y_true, "float32")
    return -K.sum(y_true * K.log(K.clip(y_pred, 1e-7, 1.0)), axis=-1)


chemistry, region = load_bottles(540)
model = keras.Sequential()
model.add(Input(shape=(13,)))
model.add(Dense(26, activation="relu"))
model.add(Dropout(0.1))
model.add(Dense(REGIONS, activation="softmax"))
model.compile(loss=region_loss, optimizer="adam")
model.fit(chemistry, keras.utils.to_categorical(region, REGIONS), batch_size=20, epochs=12, verbose=2)
named = model.predict(chemistry, verbose=0).argmax(axis=1)
print("bottles placed right:", np.mean(named == region[:, 0]), "named:", np.bincount(named, minlength=REGIONS))
