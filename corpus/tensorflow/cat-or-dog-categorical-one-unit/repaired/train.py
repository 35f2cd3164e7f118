import numpy as np
from keras.layers import Activation, Conv2D, Dense, Flatten, Input, MaxPooling2D
from keras.models import Sequential
from keras.utils import set_random_seed

set_random_seed(1234)


def pets(count):
    rng = np.random.default_rng(1234)
    dog = rng.integers(0, 2, count)
    photo = rng.random((count, 16, 16, 3))
    photo[dog == 1, :, ::4] += 0.5
    photo[dog == 0, ::4, :] += 0.5
    return photo.astype("float32"), dog.astype("float32")


photo, dog = pets(320)
model = Sequential()
model.add(Input(shape=(16, 16, 3)))
model.add(Conv2D(8, (3, 3)))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Flatten())
model.add(Dense(32, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
model.fit(photo, dog, batch_size=32, epochs=6, verbose=2)
print("dogs seen:", int((model.predict(photo, verbose=0) > 0.5).sum()), "of", int(dog.sum()))
