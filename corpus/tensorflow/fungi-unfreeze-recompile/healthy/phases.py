import keras
from keras import layers


def build():
    base = keras.Sequential([
        layers.Input((12, 12, 1)),
        layers.Conv2D(8, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.Conv2D(12, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
    ], name="base")
    inputs = keras.Input((12, 12, 1))
    outputs = layers.Dense(4, activation="softmax")(base(inputs, training=False))
    return base, keras.Model(inputs, outputs)


def compile_for(model, rate):
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
