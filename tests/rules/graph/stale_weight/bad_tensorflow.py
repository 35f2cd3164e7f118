import keras
import tensorflow as tf

keras.utils.set_random_seed(0)
points = tf.random.normal((128, 8))
labels = tf.cast(points[:, 0] > 0, tf.int32)
left = tf.Variable(tf.random.normal((8, 2)), name="left")
right = tf.Variable(tf.random.normal((8, 2)), name="right")
head = tf.Variable(tf.random.normal((4, 2)), name="head")
optimizer = keras.optimizers.Adam(0.01)

with tf.GradientTape(persistent=True) as tape:
    both = tf.concat([left, right], axis=1)
    for step in range(30):
        logits = tf.tanh(points @ both) @ head
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        gradients = tape.gradient(loss, [left, right, head])
        optimizer.apply_gradients(zip(gradients, [left, right, head]))
