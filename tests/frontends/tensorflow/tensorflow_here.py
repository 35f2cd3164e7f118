"""Records TensorFlow programs in this process, as `whygrad run` does in the program's own: one import of TensorFlow for many tests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

from whygrad.frontends import Experiments, Recording
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder
from whygrad.ir import Op, Outcome, Record
from whygrad.ir.wellformed import problems
from whygrad.observing import Observing
from whygrad.program import Target
from whygrad.rules import load_rules

FRONT_ENDS = {"tensorflow": "whygrad.frontends.tensorflow"}


def recorded(folder: Path, program: str, *, steps: int = 2, at_step: int | None = None, experiments: Experiments = "default") -> Record:
    """The record of a program, which must end well; it must hold together, and nothing of ours may fail."""
    return recorded_as(folder, program, Recording(steps, at_step, experiments))


def recorded_as(folder: Path, program: str, recording: Recording) -> Record:
    """The same, as it was asked for."""
    with watched(recording) as (observing, _):
        play(folder, program)
        record = observing.finish(Outcome(0))
    assert not record.faults, record.faults
    assert not problems(record)
    return record


@contextmanager
def watched(recording: Recording = Recording()) -> Iterator[tuple[Observing, TensorFlowRecorder]]:  # noqa: B008 - frozen
    """A recorder at work in this process."""
    observing = Observing(Target("train.py"), recording, load_rules, FRONT_ENDS, None)
    observing.attach("tensorflow")
    assert not observing.faults, observing.faults
    recorder = observing.recorders[0]
    assert isinstance(recorder, TensorFlowRecorder)
    try:
        yield observing, recorder
    finally:
        recorder.stop()


def play(folder: Path, program: str, before: Callable[[], None] | None = None) -> dict[str, Any]:
    """Run a program from a file, as the user's own; returns its names."""
    tf.keras.backend.clear_session()
    tf.keras.utils.set_random_seed(0)
    if before is not None:
        before()
    path = folder / "train.py"
    path.write_text(dedent(program), encoding="utf-8")
    names: dict[str, Any] = {"__name__": "__main__", "__file__": str(path)}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    return names


def kinds(record: Record, step: int = 0) -> list[str]:
    """Kinds of op of a recorded step that a gradient or the data pass through."""
    return [op.kind for op in record.steps[step].graph.ops if op.tracking]


def the(record: Record, kind: str, step: int = 0) -> Op:
    """The one op of a kind."""
    (found,) = [op for op in record.steps[step].graph.ops if op.kind == kind]
    return found


def bits(names: dict[str, Any]) -> list[bytes]:
    """The weights that a program ended with."""
    return [weight.tobytes() for weight in names["model"].get_weights()]
