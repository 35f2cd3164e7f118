"""`trainable` set on layers that hold nothing to train."""

import pytest

from frontends.tensorflow.tensorflow_here import recorded
from whygrad.flow import Index
from whygrad.ir import Descend
from whygrad.rules.graph.frozen_parameters import diagnose

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

PROGRAM = """
    import keras, numpy as np
    from keras import layers

    inputs = keras.Input((8, 8, 1))
    hidden = layers.Conv2D(4, 3)(inputs)
    hidden = layers.Activation("relu")(hidden)
    hidden = layers.Conv2D(4, 3)(hidden)
    base = keras.Model(inputs, layers.GlobalMaxPooling2D()(layers.Dropout(0.1)(hidden)))
    base.trainable = False
    model = keras.Sequential([keras.Input((8, 8, 1)), base, layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    x = np.random.rand(32, 8, 8, 1).astype("float32")
    model.fit(x, x.mean((1, 2)), batch_size=8, epochs=1, verbose=0)
    UNFREEZE
    model.compile(optimizer="sgd", loss="mse")
    model.fit(x, x.mean((1, 2)), batch_size=8, epochs=1, verbose=0)
"""


@pytest.mark.parametrize(
    "unfreeze",
    [
        "for layer in base.layers[:1]: layer.trainable = True",
        "for layer in base.layers[-2:]: layer.trainable = True",
        "base.get_layer(index=2).trainable = True",
    ],
    ids=["the input layer", "dropout and pooling", "an activation"],
)
def test_layers_that_hold_nothing_thaw_nothing(tmp_path, unfreeze):
    (told,) = diagnose.check(Index(recorded(tmp_path, PROGRAM.replace("UNFREEZE", unfreeze))))

    assert told.site is not None
    assert told.site.line == next(at for at, line in enumerate(PROGRAM.splitlines(), 1) if "UNFREEZE" in line)
    assert "nothing is unfrozen" in told.message


@pytest.mark.parametrize(
    "unfreeze",
    [
        "pass",
        "for layer in base.layers[-3:]: layer.trainable = True",
        "base.trainable = True",
        "base.layers[0].trainable = True; base.layers[1].trainable = True",
    ],
    ids=["a backbone that stays frozen", "one of three holds a kernel", "the whole model", "another line thaws a kernel"],
)
def test_what_is_frozen_on_purpose_or_thawed_is_fine(tmp_path, unfreeze):
    assert not list(diagnose.check(Index(recorded(tmp_path, PROGRAM.replace("UNFREEZE", unfreeze)))))


BY_NAME = """
    import keras, numpy as np
    from keras import layers

    keras.utils.set_random_seed(0)
    x = np.random.randn(120, 6).astype("float32")
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.LayerNormalization(), layers.Dense(3, name="scores")])
    for layer in model.layers:
        layer.trainable = "norm" in layer.name
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, x[:, :3].argmax(1), batch_size=30, epochs=5, verbose=0)
"""


def test_what_is_frozen_by_names_is_tried_as_well_in_copies(tmp_path):
    record = recorded(tmp_path, BY_NAME)
    (told,) = diagnose.check(Index(record))
    trial = next(trial for trial in record.steps[0].trials if isinstance(trial.intervention, Descend) and trial.intervention.thaw)

    assert "are frozen though they are newly made" in told.message
    assert told.remedy is not None
    assert told.remedy.edits[0].text == '{x}.get_layer("scores").trainable = True'
    assert trial.losses[-1] < 0.9 * trial.plain[-1]
