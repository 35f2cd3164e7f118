import keras
import tensorflow as tf

keras.utils.set_random_seed(0)
points = tf.random.normal((128, 8))
labels = tf.argmax(points[:, :5], axis=1)
encoder, head = keras.layers.Dense(16, activation="relu"), keras.layers.Dense(2)
model = keras.Sequential([keras.Input((8,)), encoder, head])
model = keras.Sequential([keras.Input((8,)), encoder, keras.layers.Dense(5)])
optimizer = keras.optimizers.Adam(0.01)
optimizer.build(model.trainable_variables)
entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

for step in range(30):
    with tf.GradientTape() as tape:
        loss = entropy(labels, model(points))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
