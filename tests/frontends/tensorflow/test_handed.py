"""What a program hands to `train_on_batch` as arrays: named and followed as what `fit` takes out of a data set."""

import numpy as np
import pytest

from frontends.tensorflow.tensorflow_here import play, recorded, watched
from whygrad.frontends.raising import raised
from whygrad.frontends.tensorflow.handed import weightless
from whygrad.ir import Outcome

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


LISTS = """
    import keras, numpy as np

    rows = np.random.default_rng(0)
    images = [rows.normal(size=(8, 8, 1)).astype("float32") for _ in range(COUNT)]
    kinds = KINDS
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(images, kinds, verbose=0)
"""
GIVEN = {
    "a list of examples beside an array": ("24", "np.arange(24) % 3", ["list", "i64"]),
    "two lists": ("24", "[at % 3 for at in range(24)]", ["list", "list"]),
    "a list of another length: what a model with several inputs is given": ("20", "np.arange(24) % 3", ["i64"]),
    "a short list": ("2", "np.arange(2)", ["i64"]),
}


@pytest.mark.parametrize(("count", "kinds", "dtypes"), GIVEN.values(), ids=GIVEN)
def test_what_fit_refuses(tmp_path, count, kinds, dtypes):
    with watched() as (observing, recorder):
        with pytest.raises(ValueError, match=r".") as caught:  # Keras' words differ from version to version
            play(tmp_path, LISTS.replace("COUNT", count).replace("KINDS", kinds))
        record = observing.finish(Outcome(1, raised(caught.value, recorder.sources)))

    assert not record.faults
    step = record.steps[0]
    handed = next(op for op in step.graph.ops if op.failed)
    assert [step.graph.values[name].dtype for name in handed.inputs] == dtypes


IDS = np.array([0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize(
    ("labels", "weights", "told"),
    [
        (IDS, [0, 0, 0, 0, 1, 1], (3, 2)),
        (IDS[:, None], np.array([[0.0], [0.0], [1.0], [1.0], [0.5], [0.0]]), (3, 1)),
        (np.eye(3, dtype="float32")[IDS], [0, 0, 0, 0, 1, 1], (3, 2)),
        (IDS, [0, 1, 0, 1, 0, 1], None),
        (IDS, [0, 0, 0, 0, 0, 0], None),
        (IDS, np.ones((6, 4)), None),
        (IDS / 10, [0, 0, 0, 0, 1, 1], None),
        (np.random.default_rng(0).random((6, 3)), [0, 0, 0, 0, 1, 1], None),
        (IDS, None, None),
        (None, [1.0], None),
    ],
    ids=[
        "ids",
        "columns",
        "one-hot",
        "each class has one",
        "none has (WG105)",
        "by positions",
        "shares",
        "rows",
        "no weights",
        "no labels",
    ],
)
def test_classes_without_a_weight_are_counted(labels, weights, told):
    found = weightless((None, labels, None if weights is None else np.asarray(weights)))

    assert (tuple(found[key] for key in ("classes", "weightless")) if found else None) == told


@pytest.mark.parametrize("given", [(), (None,), (None, np.zeros(3))], ids=["nothing", "no labels", "no weights"])
def test_a_fit_that_began_before_it_was_watched_is_given_nothing(given):
    assert weightless(given) == {}
