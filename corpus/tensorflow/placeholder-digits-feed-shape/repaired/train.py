import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
v1.disable_eager_execution()
v1.set_random_seed(136)
rng = np.random.default_rng(136)
label = rng.integers(0, 4, 200)
pictures = rng.random((4, 8, 8))[label] + 0.2 * rng.normal(size=(200, 8, 8))

image = v1.placeholder(tf.float32, [None, 64], name="image")
digit = v1.placeholder(tf.int64, [None], name="digit")
weights = v1.get_variable("weights", [64, 4])
scores = tf.matmul(image, weights)
loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=digit, logits=scores))
train = v1.train.GradientDescentOptimizer(0.5).minimize(loss)

with v1.Session() as session:
    session.run(v1.global_variables_initializer())
    for epoch in range(10):
        for i in range(0, 200, 20):
            feed = {image: pictures[i:i + 20].reshape(-1, 64), digit: label[i:i + 20]}
            value, _ = session.run([loss, train], feed_dict=feed)
        print("epoch", epoch, "loss", value)
