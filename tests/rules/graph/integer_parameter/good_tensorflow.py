import tensorflow as tf

tf.random.set_seed(0)
steepness = tf.Variable([[2.0], [1.0], [3.0]])

for step in range(20):
    inputs = tf.random.normal((32, 3))
    wanted = tf.reduce_sum(inputs, axis=1, keepdims=True)
    with tf.GradientTape() as tape:
        guess = inputs @ tf.cast(steepness, tf.float32)
        loss = tf.reduce_mean((guess - wanted) ** 2)
    gradient = tape.gradient(loss, steepness)
    steepness.assign_sub(0.1 * gradient)
