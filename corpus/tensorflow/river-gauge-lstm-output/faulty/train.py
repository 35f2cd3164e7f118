import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

tf.keras.utils.set_random_seed(71)
days = np.arange(700)
gauge = (2.0 + 1.5 * np.sin(days / 9.0) + 0.5 * np.sin(days / 2.3)).astype("float32")
windows = tf.keras.utils.timeseries_dataset_from_array(
    gauge[:-1, None], targets=gauge[20:], sequence_length=20, batch_size=34, shuffle=True, seed=2
)

model = tf.keras.models.Sequential()
model.add(layers.Input((20, 1)))
model.add(layers.LSTM(16, return_sequences=True))
model.add(layers.LSTM(1))
model.compile(optimizer=tf.keras.optimizers.Adam(0.01), loss="huber")
model.fit(windows, epochs=8, verbose=2)
forecast = model.predict(windows, verbose=0)
print("forecast between", forecast.min(), "and", forecast.max(), "gauge up to", gauge.max())
