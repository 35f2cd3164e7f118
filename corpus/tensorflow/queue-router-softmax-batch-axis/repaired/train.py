import numpy as np
import tensorflow as tf

from router import Router

tf.keras.utils.set_random_seed(88)
rng = np.random.default_rng(88)
queue = rng.choice(6, 720, p=[0.5, 0.25, 0.12, 0.07, 0.04, 0.02])
tokens = rng.integers(0, 60, (720, 12))
hint = rng.random((720, 12)) < 0.3
tokens = np.where(hint, queue[:, None] * 10 + rng.integers(0, 10, (720, 12)), tokens)
target = np.eye(6, dtype="float32")[queue]

router = Router(queues=6, vocabulary=60)
optimizer = tf.keras.optimizers.Adam(0.02)


@tf.function
def step(words, wanted):
    with tf.GradientTape() as tape:
        chances = router(words)
        loss = -tf.reduce_mean(tf.reduce_sum(wanted * tf.math.log(chances + 1e-9), axis=1))
    grads = tape.gradient(loss, router.trainable_variables)
    optimizer.apply_gradients(zip(grads, router.trainable_variables))
    return loss


for epoch in range(10):
    order = rng.permutation(720)
    for rows in np.split(order, 30):
        loss = step(tokens[rows], target[rows])
    right = np.mean(router(tokens).numpy().argmax(1) == queue)
    print(f"epoch {epoch}: loss {float(loss):.3f} routed right {right:.3f}")
alone = [router(tokens[i:i + 1]).numpy().argmax() for i in range(40)]
print("routed right one by one:", np.mean(alone == queue[:40]))
