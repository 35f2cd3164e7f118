import numpy as np
import tensorflow as tf

tf.random.set_seed(44)
rng = np.random.default_rng(44)

LETTERS = 6
shapes = rng.normal(size=(LETTERS, 20))
letters = rng.integers(0, LETTERS, 480)
strokes = (shapes[letters] + 0.8 * rng.normal(size=(480, 20))).astype("float32")
targets = tf.one_hot(letters, LETTERS)

w1 = tf.Variable(tf.random.normal([20, 32], stddev=0.2))
b1 = tf.Variable(tf.zeros([32]))
w2 = tf.Variable(tf.random.normal([32, LETTERS], stddev=0.2))
b2 = tf.Variable(tf.zeros([LETTERS]))
params = [w1, b1, w2, b2]


def scores(batch):
    return tf.nn.relu(batch @ w1 + b1) @ w2 + b2


optimizer = tf.keras.optimizers.SGD(0.1)
for epoch in range(10):
    for start in range(0, 480, 40):
        rows = slice(start, start + 40)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=targets[rows], logits=scores(strokes[rows])))
        optimizer.apply_gradients(zip(tape.gradient(loss, params), params))
    accuracy = np.mean(np.argmax(scores(strokes), 1) == letters)
    print(f"{epoch:2d} loss {loss:.3f} accuracy {accuracy:.3f}")
