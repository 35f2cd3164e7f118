"""Callbacks that cut the rate when a value no longer gets better."""

import pytest

from frontends.tensorflow.tensorflow_here import recorded
from whygrad.flow import Index
from whygrad.rules.update.zero_learning_rate import diagnose

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

PROGRAM = """
    import keras, numpy as np
    x = np.random.rand(96, 4).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(optimizer=keras.optimizers.SGD(0.02), loss="mse")

    def plan():
        return [keras.callbacks.TerminateOnNaN(), keras.callbacks.ReduceLROnPlateau(SETTINGS)]

    model.fit(x, 3 * x[:, :1] + 1, batch_size=8, epochs=12, verbose=0, callbacks=plan())
"""


def test_a_callback_that_takes_falling_losses_for_no_progress_is_told_where_it_is_made(tmp_path):
    record = recorded(tmp_path, PROGRAM.replace("SETTINGS", 'monitor="loss", patience=1, mode="max"'))
    (told,) = diagnose.check(Index(record))

    assert told.site is not None
    assert told.site.line == next(at for at, line in enumerate(PROGRAM.splitlines(), 1) if "ReduceLROnPlateau" in line)
    assert "takes falling losses for no progress" in told.message
    assert record.optimizers[0].plateau is not None
    assert (record.optimizers[0].plateau.calls, record.optimizers[0].plateau.better) == (12, 0)


@pytest.mark.parametrize("settings", ['monitor="loss", patience=1', 'monitor="loss", patience=2, mode="min"', 'monitor="val_loss"'])
def test_a_callback_that_sees_the_progress_or_nothing_is_fine(tmp_path, settings):
    record = recorded(tmp_path, PROGRAM.replace("SETTINGS", settings))

    assert not list(diagnose.check(Index(record)))
