"""`WhyGrad()` among the callbacks of `fit`: the report of the command, on every backend, and the program's own results."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from whygrad.embedded import Embedded
from whygrad.errors import WhygradError

SOURCES = Path(__file__).resolve().parents[2] / "src"
PROGRAM = """
    import keras
    import numpy as np

    {extra}
    keras.utils.set_random_seed(0)
    x = np.random.randn(96, 6).astype("float32")
    y = (x[:, :1] > 0).astype("float32")
    layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.1), keras.layers.Dense(1, activation="{last}")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.05), loss="mse")
    model.fit(x, y, epochs=4, batch_size=32, verbose=0, callbacks=[{callback}])
    print("bits", [w.numpy().tobytes().hex()[:64] if hasattr(w, "numpy") else np.asarray(w).tobytes().hex()[:64] for w in model.weights])
"""


def run(folder: Path, last: str, backend: str, *, watched: bool = True, command: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    extra = "from whygrad.integrations.keras import WhyGrad" if watched else ""
    (folder / "train.py").write_text(dedent(PROGRAM).format(extra=extra, last=last, callback="WhyGrad()" if watched else ""))
    environment = {
        **os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2", "COLUMNS": "120"
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, *command, "train.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=True
    )


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax"])
def test_the_report_comes_at_the_end_of_fit(backend, tmp_path):
    told = run(tmp_path, "softmax", backend)

    assert "error[WG208] softmax-over-one" in told.stderr
    assert "12 steps seen" in told.stderr


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax"])
def test_a_sound_fit_is_left_alone(backend, tmp_path):
    told = run(tmp_path, "sigmoid", backend)

    assert "whygrad: no fault found" in told.stderr
    assert told.stdout == run(tmp_path, "sigmoid", backend, watched=False).stdout


@pytest.mark.slow
def test_under_the_command_the_callback_is_silent(tmp_path):
    told = run(tmp_path, "sigmoid", "tensorflow", command=("-m", "whygrad", "run"))

    assert told.stderr.count("whygrad: no fault found") == 1


def test_it_says_what_is_missing():
    embedded = Embedded(front_ends={"abacus": "whygrad.frontends.abacus"})

    assert embedded.start()
    assert not Embedded().start()
    assert "never imported a framework" in embedded.finish().reason
    with pytest.raises(WhygradError, match="never started"):
        Embedded().finish()
