import keras
import tensorflow as tf

keras.utils.set_random_seed(0)
points = tf.random.normal((128, 4))
heights = tf.reduce_sum(points, axis=1, keepdims=True)
model = keras.layers.Dense(1)
start = tf.zeros((128, 1))
optimizer = keras.optimizers.SGD(0.1)
model.build((None, 4))

for step in range(30):
    with tf.GradientTape() as tape:
        output = model(points)
        loss = tf.reduce_mean((start + output - heights) ** 2)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
