import keras
import tensorflow as tf

keras.utils.set_random_seed(0)
points = tf.random.normal((128, 4))
heights = tf.reduce_sum(points, axis=1, keepdims=True)
encoder, head = keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)
slow, fast = keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.1)

for step in range(30):
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_mean((head(encoder(points)) - heights) ** 2)
    head_gradients = tape.gradient(loss, head.trainable_variables)
    encoder_gradients = tape.gradient(loss, encoder.trainable_variables)
    fast.apply_gradients(zip(head_gradients, head.trainable_variables))
    slow.apply_gradients(zip(encoder_gradients, encoder.trainable_variables))
