import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(142)
rng = np.random.default_rng(142)
trip = rng.normal(size=(600, 15)).astype("float32")
delay = (trip[:, :3].sum(1, keepdims=True) + trip[:, 3:4] * trip[:, 4:5]).astype("float32")
dataset = tf.data.Dataset.from_tensor_slices((trip, delay)).batch(20)

model = keras.Sequential([keras.layers.Dense(48, activation="relu"), keras.layers.Dense(1)])
loss_fn, optimizer = keras.losses.MeanSquaredError(), keras.optimizers.Adam(0.01)
batches = iter(dataset.repeat())
for step in range(200):
    x, y = next(iter(dataset))
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    if step % 50 == 49:
        whole = float(loss_fn(delay, model(trip)))
        print(f"step {step + 1}: batch {float(loss):.4f} whole {whole:.4f}")
