import keras
import numpy as np


class Recommender(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = keras.layers.Dense(8, activation="tanh")
        self.head = keras.layers.Dense(1)

    def call(self, visits):
        tastes = self.encoder(visits)
        return self.head(tastes)


keras.utils.set_random_seed(0)
visits = np.random.normal(size=(128, 10)).astype("float32")
ratings = visits[:, :1] - visits[:, 1:2]
model = Recommender()
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
model.fit(visits, ratings, epochs=8, verbose=0)
