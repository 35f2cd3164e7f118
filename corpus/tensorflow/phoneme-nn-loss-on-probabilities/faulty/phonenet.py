from tensorflow import keras


def build(frames, coefficients, phonemes):
    return keras.Sequential([
        keras.layers.Input((frames, coefficients)),
        keras.layers.Conv1D(24, 3, activation="relu"),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(phonemes, activation="softmax"),
    ])
