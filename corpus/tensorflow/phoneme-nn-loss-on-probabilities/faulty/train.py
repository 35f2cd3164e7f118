import numpy as np
import tensorflow as tf

from phonenet import build

tf.keras.utils.set_random_seed(16)
rng = np.random.default_rng(16)
PHONEMES = 25
template = rng.normal(size=(PHONEMES, 8, 10))
spoken = rng.integers(0, PHONEMES, 750)
mfcc = (template[spoken] + 0.5 * rng.normal(size=(750, 8, 10))).astype("float32")

net = build(8, 10, PHONEMES)
opt = tf.keras.optimizers.SGD(0.5, momentum=0.5)


@tf.function
def update(frames, target):
    with tf.GradientTape() as tape:
        out = net(frames, training=True)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=out)
        loss = tf.reduce_mean(losses)
    opt.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables))
    return loss


batches = tf.data.Dataset.from_tensor_slices((mfcc, spoken)).shuffle(750, seed=1).batch(25)
for epoch in range(8):
    losses = [float(update(frames, target)) for frames, target in batches]
    print(epoch, np.mean(losses), np.mean(net.predict(mfcc, verbose=0).argmax(1) == spoken))
