import numpy as np
import tensorflow as tf
from tensorflow.keras import Input, Model, layers

tf.keras.utils.set_random_seed(6)
rng = np.random.default_rng(6)
plans = rng.normal(size=(600, 10)).astype("float32")
price = plans[:, :3].sum(1, keepdims=True) * 5
kind = plans[:, 3:7].argmax(1)

plan = Input((10,), name="plan")
trunk = layers.Dense(48, activation="relu")(plan)
price_head = layers.Dense(1, name="price")(trunk)
kind_head = layers.Dense(4, activation="softmax", name="kind")(trunk)
model = Model(plan, {"price": price_head, "kind": kind_head})
model.compile(
    optimizer=tf.keras.optimizers.Adam(0.01),
    loss={"price": "mse", "kind": "sparse_categorical_crossentropy"},
    loss_weights={"price": 0.05, "kind": 1.0},
    metrics={"kind": "accuracy"},
)
model.fit(plans, {"price": price, "kind": kind}, epochs=10, batch_size=30, verbose=2)
