import random

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

tf.keras.utils.set_random_seed(13)
random.seed(13)
SPORT = "goal match coach league striker penalty".split()
MONEY = "market shares bank profit index bond".split()
COMMON = "the a new today after before says with".split()


def headline(words):
    picked = random.choices(words, k=2) + random.choices(COMMON, k=random.randint(2, 7))
    random.shuffle(picked)
    return " ".join(picked)


topics = [i % 2 for i in range(400)]
texts = [headline(MONEY if topic else SPORT) for topic in topics]
raw = tf.data.Dataset.from_tensor_slices((texts, topics)).shuffle(400, seed=1).batch(20)

vectorize = layers.TextVectorization(max_tokens=40, output_sequence_length=10)
vectorize.adapt(raw.map(lambda text, topic: text))
train = raw.map(lambda text, topic: (vectorize(text), topic)).cache().prefetch(tf.data.AUTOTUNE)
model = tf.keras.Sequential([
    layers.Embedding(40, 8, mask_zero=True),
    layers.Bidirectional(layers.LSTM(8)),
    layers.Dropout(0.2),
    layers.Dense(1),
])
model.compile(loss=tf.keras.losses.BinaryCrossentropy(from_logits=True), optimizer=tf.keras.optimizers.Adam(0.01), metrics=["accuracy"])
model.fit(train, epochs=5, verbose=2)
