import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(68)
rng = np.random.default_rng(68)
kind = rng.integers(0, 5, 600)
grains = 9.0 + (rng.normal(size=(5, 12))[kind] + 0.5 * rng.normal(size=(600, 12)))
data = tf.data.Dataset.from_tensor_slices((grains.astype("float32"), kind)).shuffle(600, seed=1).batch(40)

model = keras.Sequential([
    keras.layers.BatchNormalization(),
    keras.layers.Dense(32),
    keras.layers.BatchNormalization(),
    keras.layers.Activation("relu"),
    keras.layers.Dense(5),
])
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.SGD(0.05)
seen = keras.metrics.SparseCategoricalAccuracy()

for epoch in range(6):
    seen.reset_state()
    for x, y in data:
        with tf.GradientTape() as tape:
            logits = model(x, training=False)
            loss = loss_fn(y, logits)
        grads = tape.gradient(loss, model.trainable_weights)
        optimizer.apply_gradients(zip(grads, model.trainable_weights))
        seen.update_state(y, logits)
    print(f"epoch {epoch}: loss {float(loss):.3f} accuracy {float(seen.result()):.3f}")
