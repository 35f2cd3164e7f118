"""What a program hands to `train_on_batch` as arrays: named and followed as what `fit` takes out of a data set."""

import pytest

from frontends.tensorflow.tensorflow_here import recorded

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

PROGRAM = """
    import keras, numpy as np

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    places = np.random.default_rng(0)

    def replay(states, actions, rewards):
        PREDICT
        targets[np.arange(len(actions)), actions] = rewards
        return model.train_on_batch(states, targets)

    for turn in range(4):
        states = places.normal(size=(16, 4)).astype("float32")
        replay(states, places.integers(0, 3, 16), places.normal(size=16))
"""
WAYS = {
    "predicted": "targets = model.predict(states, verbose=0)",
    "called": "targets = model(states, training=False).numpy()",
    "made anew": "targets = np.zeros((len(states), 3), dtype='float32')",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_edited_predictions_are_the_labels(tmp_path, way):
    record = recorded(tmp_path, PROGRAM.replace("PREDICT", way))

    step = record.steps[0]
    values = step.graph.values
    assert [values[name].called for name in step.labels.values] == ["targets"]
    (loss,) = [op for op in step.graph.ops if op.kind == "mse_loss"]
    assert loss.inputs[1] == step.labels.values[0]
    assert step.measures.label_sensitivity is not None
    assert step.measures.label_sensitivity > 0
