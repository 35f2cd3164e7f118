import keras
import tensorflow as tf

keras.utils.set_random_seed(0)
words = tf.random.uniform((128, 6), 0, 50, dtype=tf.int32)
ratings = tf.reduce_mean(tf.cast(words > 24, tf.float32), axis=1, keepdims=True)
embedding, head = keras.layers.Embedding(50, 8), keras.layers.Dense(1)
optimizer = keras.optimizers.Adam(0.05)

for step in range(30):
    with tf.GradientTape() as tape:
        meaning = tf.reduce_mean(embedding(words), axis=1)
        loss = tf.reduce_mean((head(meaning) - ratings) ** 2)
    weights = embedding.trainable_variables + head.trainable_variables
    gradients = tape.gradient(loss, weights)
    optimizer.apply_gradients(zip(gradients, weights))
