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
    from keras.src.trainers.trainer import Trainer

    {extra}
    keras.utils.set_random_seed(0)
    x = np.random.randn(96, 6).astype("float32")
    y = (x[:, :1] > 0).astype("float32")
    layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.1), keras.layers.Dense(1, activation="{last}")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.05), loss="mse")
    model.fit(x, y, epochs=4, batch_size=32, verbose=0, callbacks=[{callback}])
    print("own compile", type(model).compile != Trainer.compile)
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
    assert backend == "jax" or "12 in 12 steps" in told.stderr


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax"])
def test_a_sound_fit_is_left_alone(backend, tmp_path):
    told = run(tmp_path, "sigmoid", backend)

    assert "whygrad: no fault found" in told.stderr
    assert told.stdout == run(tmp_path, "sigmoid", backend, watched=False).stdout


ENDS = """
    import keras
    import numpy as np
    import whygrad
    from whygrad.integrations.keras import WhyGrad

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            print("logs", *sorted(name for name in logs if name.startswith("whygrad/")))

    keras.utils.set_random_seed(0)
    x = np.random.randn(96, 6).astype("float32")
    y = (x[:, :1] > 0).astype("float32")

    def fit(last, epochs, **asked):
        model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1, activation=last)])
        model.compile(keras.optimizers.Adam(0.05), loss="mse", metrics=["accuracy"])
        watch = WhyGrad(quiet=True, **asked)
        data = {"validation_data": (x, y), "batch_size": 32, "verbose": 0, "callbacks": [watch, Keep()]}
        try:
            ran = len(model.fit(x, y, epochs=epochs + 3, initial_epoch=3, **data).history["loss"])
        except whygrad.TrainingFault:
            ran = "raised"
        print("ended", last, epochs, *asked.values(), ran, *(found.rule for found in watch.report.root_causes))

    fit("softmax", 20)
    fit("softmax", 20, stop_on="error")
    fit("softmax", 20, raises=True)
    fit("softmax", 1, raises=True)
    fit("sigmoid", 20, raises=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax"])
def test_it_stops_or_raises_where_that_was_asked_for_and_logs_its_figures(backend, tmp_path):
    (tmp_path / "train.py").write_text(dedent(ENDS))
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(
        [sys.executable, "train.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200, check=True
    )
    told = done.stdout.splitlines()
    ends = [line.removeprefix("ended ") for line in told if line.startswith("ended")]
    stopped = int(ends[1].split()[3])

    assert stopped < 20
    assert ends == [
        "softmax 20 20 WG208", f"softmax 20 error {stopped} WG208", "softmax 20 True raised WG208", "softmax 1 True raised WG208", "sigmoid 20 True 20",
    ]  # fmt: skip
    assert {"whygrad/gradient_norm", "whygrad/label_sensitivity", "whygrad/update_ratio"} <= set(told[-2].split())


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
