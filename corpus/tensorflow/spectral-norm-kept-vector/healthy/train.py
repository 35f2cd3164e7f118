import tensorflow as tf, numpy as np

tf.random.set_seed(0)
r = np.random.RandomState(0)
x = r.randn(256, 8).astype("f4")
y = (x[:, :1] * 2 - x[:, 1:2]).astype("f4")


class SN(tf.keras.layers.Layer):
    def __init__(s, n):
        super().__init__()
        s.n = n

    def build(s, shape):
        s.w = s.add_weight(shape=(shape[-1], s.n))
        s.u = s.add_weight(shape=(1, s.n), trainable=False, initializer="ones")

    def call(s, a):
        v = tf.math.l2_normalize(tf.matmul(s.u, s.w, transpose_b=True))
        u = tf.math.l2_normalize(tf.matmul(v, s.w))
        s.u.assign(u)
        sigma = tf.matmul(tf.matmul(tf.stop_gradient(v), s.w), tf.stop_gradient(u), transpose_b=True)
        return tf.matmul(a, s.w / sigma)


m = tf.keras.Sequential([SN(32), tf.keras.layers.ReLU(), tf.keras.layers.Dense(1)])
opt = tf.keras.optimizers.Adam(1e-2)
for i in range(60):
    b = slice((i * 32) % 224, (i * 32) % 224 + 32)
    with tf.GradientTape() as t:
        loss = tf.reduce_mean((m(x[b]) - y[b]) ** 2)
    opt.apply_gradients(zip(t.gradient(loss, m.trainable_variables), m.trainable_variables))
print(float(loss))
