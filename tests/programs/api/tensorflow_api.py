"""The Python interface with Keras models on TensorFlow; prints what came of each as JSON."""

import json

import keras
import numpy as np
import tensorflow as tf

import whygrad

found = {}
keras.utils.set_random_seed(0)
x, y = np.random.randn(32, 6).astype("float32"), np.random.randint(0, 3, 32)


def told(report):
    return {"healthy": report.healthy, "causes": [(c.name, c.site.text.strip() if c.site else "") for c in report.root_causes], "faults": report.faults}


def net(last="softmax"):
    return keras.Sequential(
        [keras.layers.Input((6,)), keras.layers.Dense(8, "relu"), keras.layers.BatchNormalization(), keras.layers.Dropout(0.1), keras.layers.Dense(3, last)]
    )


model = net()
before = [np.array(v) for v in model.variables]
report = whygrad.diagnose(model, "sparse_categorical_crossentropy", x, y)
found["sound"] = told(report)
found["label_sensitivity"] = report.measures.label_sensitivity
found["learns"] = whygrad.learns(model, "sparse_categorical_crossentropy", x, y)
found["untouched"] = all(np.array_equal(a, np.array(v)) for a, v in zip(before, model.variables))
found["unused"] = told(whygrad.diagnose(model, lambda labels, scores: tf.reduce_mean(scores**2), x, y))
found["classes"] = told(whygrad.diagnose(model, "categorical_crossentropy", x, y))
found["raises"] = told(whygrad.diagnose(model, "sparse_categorical_crossentropy", x, y[:31]))
model.compile("adam", "sparse_categorical_crossentropy")
with whygrad.recording() as run:
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)
found["recording"] = told(run.report)
print(json.dumps(found))
