import numpy as np
import tensorflow as tf

RATE = 0.05
tf.keras.utils.set_random_seed(76)
rng = np.random.default_rng(76)
vibration = rng.normal(size=(400, 9)).astype("float32")
worn = (vibration[:, 0] + vibration[:, 1] ** 2 > 1).astype("float32")[:, None]

model = tf.keras.Sequential([
    tf.keras.layers.Input((9,)),
    tf.keras.layers.Dense(24, activation="tanh"),
    tf.keras.layers.Dense(1, activation="sigmoid"),
])
bce = tf.keras.losses.BinaryCrossentropy()
for epoch in range(12):
    total = 0.0
    for i in range(0, 400, 20):
        with tf.GradientTape() as tape:
            loss = bce(worn[i:i + 20], model(vibration[i:i + 20]))
        grads = tape.gradient(loss, model.trainable_variables)
        weights = model.get_weights()
        for weight, grad in zip(weights, grads):
            weight -= RATE * 4 * grad.numpy()
        total += float(loss)
    print("epoch", epoch, "loss", total / 20)
