import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(59)
filters = tf.keras.Sequential([
    tf.keras.layers.Input((12, 12, 1)),
    tf.keras.layers.Conv2D(4, 5, activation="tanh"),
    tf.keras.layers.Conv2D(2, 3),
])


def improve(pattern, steps=30, size=0.5):
    for step in range(steps):
        with tf.GradientTape() as tape:
            score = tf.reduce_mean(filters(pattern)[..., 1])
        grads = tape.gradient(score, pattern)
        grads = grads / (tf.norm(grads) + 1e-6)
        pattern = pattern + size * grads
        if step % 10 == 0:
            print(f"step {step}: activation {float(score):.4f}")
    return pattern


pattern = tf.random.uniform((1, 12, 12, 1)) * 0.1
best = improve(pattern)
print("range of the pattern", np.ptp(best.numpy()))
