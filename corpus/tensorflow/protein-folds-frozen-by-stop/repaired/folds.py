import tensorflow as tf
from tensorflow.keras import layers


class FoldNet(tf.keras.Model):
    def __init__(self, folds):
        super().__init__()
        self.embed = layers.Embedding(21, 6)
        self.conv = layers.Conv1D(6, 5, activation="relu")
        self.pool = layers.GlobalMaxPooling1D()
        self.classify = layers.Dense(folds)

    def encode(self, residues):
        return self.pool(self.conv(self.embed(residues)))

    def call(self, residues):
        code = self.encode(residues)
        return self.classify(code)
