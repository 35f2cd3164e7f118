import keras
from keras import layers


class TokenAndPosition(layers.Layer):
    def __init__(self, length, vocabulary, width):
        super().__init__()
        self.length = length
        self.width = width
        self.tokens = layers.Embedding(vocabulary, width)

    def build(self, input_shape):
        self.positions = self.add_weight(name="position_table", shape=(self.length, self.width), initializer="random_normal")

    def call(self, ids):
        return self.tokens(ids) + self.positions
