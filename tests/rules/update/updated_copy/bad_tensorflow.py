import tensorflow as tf

tf.random.set_seed(0)
rooms = tf.random.normal((128, 4))
rent = rooms[:, :1] - rooms[:, 1:2]
slope, offset = tf.Variable(tf.random.normal((4, 1))), tf.Variable([0.0])
rate = 0.1

for step in range(30):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((rooms @ slope + offset - rent) ** 2)
    gradients = tape.gradient(loss, [slope, offset])
    for weight, gradient in zip([slope, offset], gradients):
        weight = weight - rate * gradient
