import keras
from keras import layers, ops


class PatchEncoder(layers.Layer):
    def __init__(self, patch, width):
        super().__init__()
        self.patch = patch
        self.project = layers.Conv2D(width, patch, strides=patch)
        self.width = width

    def build(self, shape):
        count = (shape[1] // self.patch) * (shape[2] // self.patch)
        self.count = count
        self.token = self.add_weight(name="cls", shape=(1, 1, self.width), initializer="zeros")
        self.position = layers.Embedding(count + 1, self.width)

    def call(self, image):
        patches = ops.reshape(self.project(image), (-1, self.count, self.width))
        token = ops.repeat(self.token, ops.shape(patches)[0], axis=0)
        return ops.concatenate([token, patches], axis=1) + self.position(ops.arange(self.count + 1))


def build(size=16, classes=4, width=24, blocks=1):
    image = keras.Input((size, size, 1))
    x = PatchEncoder(4, width)(image)
    for _ in range(blocks):
        h = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.Add()([x, layers.MultiHeadAttention(3, 8, dropout=0.1)(h, h)])
        h = layers.LayerNormalization(epsilon=1e-6)(x)
        h = layers.Dense(2 * width, activation="gelu")(h)
        x = layers.Add()([x, layers.Dense(width)(h)])
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    return keras.Model(image, layers.Dense(classes)(x[:, 0]))
