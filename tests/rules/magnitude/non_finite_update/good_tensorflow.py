import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
points = np.random.normal(size=(128, 4)).astype("float32")
heights = points.sum(axis=1, keepdims=True)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
scores = [tf.Variable(tf.zeros_like(weight)) for weight in model.trainable_variables]

for step in range(30):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(points) - heights) ** 2)
    gradients = tape.gradient(loss, model.trainable_variables)
    for weight, score, gradient in zip(model.trainable_variables, scores, gradients):
        weight.assign_sub(0.05 * gradient / (tf.sqrt(score) + 1.0))
        score.assign(0.9 * score + 0.1 * gradient**2)
