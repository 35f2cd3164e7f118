import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import LSTM, Dense, Input

tf.random.set_seed(10)
np.random.seed(10)
WINDOW = 12

hours = np.arange(400)
load = np.sin(hours / 24 * 2 * np.pi) + 0.1 * np.random.randn(400)
X = np.stack([load[i:i + WINDOW] for i in range(len(load) - WINDOW)])[..., None]
y = load

model = tf.keras.Sequential([Input((WINDOW, 1)), LSTM(12), Dense(1)])
model.compile(optimizer=tf.keras.optimizers.Adam(0.01), loss="mae")
model.fit(X, y, epochs=6, batch_size=32, verbose=2)
