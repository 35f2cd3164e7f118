import numpy as np
import tensorflow as tf
from tensorflow.keras import Sequential
from tensorflow.keras.layers import Dense
from tensorflow.keras.optimizers import Adam

tf.keras.utils.set_random_seed(8)


def cycles(n):
    rng = np.random.default_rng(8)
    table = rng.random((n, 6)).astype("float32")
    table[:, 5] = 4 * table[:, 0] * table[:, 1] + np.sin(5 * table[:, 2])
    return tf.constant(table)


table = cycles(320)
model = Sequential([Dense(32, activation="tanh"), Dense(32, activation="tanh"), Dense(1)])
optimizer = Adam(learning_rate=0.01)

for step in range(120):
    with tf.GradientTape() as tape:
        wear = table[:, 5]
        predicted = model(table[:, :5], training=True)
        mse = tf.reduce_mean(tf.square(predicted - wear))
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(mse, variables), variables))
    if step % 20 == 0:
        print("step", step, "mse", float(mse))
final = model(table[:, :5]).numpy().ravel()
print("error", np.mean((final - table[:, 5]) ** 2), "variance", np.var(table[:, 5]))
