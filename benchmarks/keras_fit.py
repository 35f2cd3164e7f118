"""What watching and recording cost a TensorFlow program, next to `enable_check_numerics`: `fit` between recorded steps, a recorded eager step, start-up.

The model: three dense layers of 256 on 32 rows, Adam. The ways of running it take turns in one run, each round in another order; a figure is the median of the rounds'
ratios to the plain way of the same round. Options: `--rounds N`, `--only fit|step|start`.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from whygrad.frontends import Recording
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder
from whygrad.ir import Record, Step
from whygrad.replay import Replay

WIDTH, ROWS, STEPS = 256, 32, 400
NEVER = 10**9
"""A step number that is not reached: the recorder only watches."""
BARS = {"fit": 1.02, "step": 2.0}
TRIVIAL = "import tensorflow as tf\nprint(float(tf.ones(3)[0]))\n"


class Silent:
    """An observer that asks for no experiment."""

    problem: BaseException | None = None

    def examine(self, step: Step, replay: Replay) -> Step:  # noqa: ARG002 - the protocol's own argument
        return step

    def keep(self, step: Step) -> None: ...

    def ended(self, index: int, complete: bool) -> None: ...  # noqa: FBT001 - as the protocol has it

    def draft(self, record: Record) -> None: ...

    def fault(self, where: str, problem: BaseException) -> None:
        raise RuntimeError(where) from problem


def model() -> Any:
    """A small network, compiled."""
    layers = [tf.keras.layers.Dense(WIDTH, activation="relu") for _ in range(3)]
    found = tf.keras.Sequential([tf.keras.layers.Input((WIDTH,)), *layers, tf.keras.layers.Dense(1)])
    found.compile(optimizer=tf.keras.optimizers.Adam(1e-4), loss="mse")
    return found


DATA = np.random.default_rng(0).normal(size=(ROWS * STEPS, WIDTH)).astype("float32")
LABELS = DATA[:, :1]


def fitted() -> float:
    """Seconds of one step of `fit`, once it is compiled."""
    net = model()
    net.fit(DATA[: ROWS * 8], LABELS[: ROWS * 8], batch_size=ROWS, verbose=0)
    began = time.perf_counter()
    net.fit(DATA, LABELS, batch_size=ROWS, verbose=0)
    return (time.perf_counter() - began) / STEPS


def stepped() -> float:
    """Seconds of one eager step: the best of a few, without those that build."""
    net, times = model(), []
    for number in range(8):
        rows = tf.constant(DATA[number * ROWS : (number + 1) * ROWS]), tf.constant(LABELS[number * ROWS : (number + 1) * ROWS])
        began = time.perf_counter()
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(net(rows[0], training=True) - rows[1]))
        net.optimizer.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables, strict=True))
        times.append(time.perf_counter() - began)
    return min(times[2:])


def watched(run: Callable[[], float], at_step: int | None) -> Callable[[], float]:
    """The same under a recorder; `at_step`: none of the steps is recorded before."""

    def under() -> float:
        recorder = TensorFlowRecorder(Silent(), Recording(steps=64, at_step=at_step, experiments="off"))
        recorder.start()
        try:
            return run()
        finally:
            recorder.stop()

    return under


def checked(run: Callable[[], float]) -> Callable[[], float]:
    """The same with TensorFlow's own check of every op."""

    def under() -> float:
        tf.debugging.enable_check_numerics()
        try:
            return run()
        finally:
            tf.debugging.disable_check_numerics()

    return under


def compared(name: str, ways: dict[str, Callable[[], float]], rounds: int) -> None:
    """Run the ways in turns and print them."""
    found: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in random.Random(number).sample(sorted(ways), len(ways)):
            found[way].append(ways[way]())
    print(f"\n{name}: plain {1000 * median(found['plain']):.2f} ms")
    for way in ways:
        ratios = [one / plain for one, plain in zip(found[way], found["plain"], strict=True)]
        print(f"  {way:26}{median(ratios):8.3f} (from {min(ratios):.3f} to {max(ratios):.3f})")


def started(rounds: int) -> None:
    """What `whygrad run` adds to a program that only imports TensorFlow, in CPU seconds."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "train.py").write_text(TRIVIAL)
        times: dict[str, list[float]] = {"plain": [], "whygrad run": []}
        for _ in range(rounds):
            for way, command in (("plain", []), ("whygrad run", ["-m", "whygrad", "run"])):
                before = os.times()
                subprocess.run([sys.executable, *command, "train.py"], cwd=scratch, capture_output=True, check=True)
                after = os.times()
                times[way].append(after.children_user + after.children_system - before.children_user - before.children_system)
    plain, ours = (median(times[way]) for way in times)
    print(f"\nstart-up: plain {plain:.2f} s, whygrad {ours - plain:+.2f} s (bar 0.3)")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=("fit", "step", "start"))
    arguments = parser.parse_args()
    if arguments.only in (None, "fit"):
        ways = {"plain": fitted, "whygrad, between steps": watched(fitted, NEVER), "check_numerics": checked(fitted)}
        compared(f"a step of `fit` (bar {BARS['fit']})", ways, arguments.rounds)
    if arguments.only in (None, "step"):
        ways = {"plain": stepped, "whygrad, recorded": watched(stepped, None), "check_numerics": checked(stepped)}
        compared(f"an eager step (bar {BARS['step']})", ways, arguments.rounds)
    if arguments.only in (None, "start"):
        started(min(arguments.rounds, 5))


if __name__ == "__main__":
    main()
