from keras import Input, Model, layers


def build_classifier(size=12):
    image = Input((size, size, 1))
    x = layers.Conv2D(8, 3, activation="relu")(image)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(16, activation="relu")(x)
    x = layers.Dense(1, activation="softmax")(x)
    return Model(image, x, name="xray")
