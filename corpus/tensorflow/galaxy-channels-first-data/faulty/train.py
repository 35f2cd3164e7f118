import keras

from archive import load

keras.utils.set_random_seed(110)
images, shape = load()
net = keras.Sequential([
    keras.layers.Conv2D(8, 3, activation="relu"),
    keras.layers.GlobalMaxPooling2D(),
    keras.layers.Dense(1, activation="sigmoid"),
])
net.build((None, 20, 20, 3))
net.compile(optimizer=keras.optimizers.Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"])
net.fit(images, shape, batch_size=24, epochs=10, verbose=2)
