"""Records JAX programs in this process, as `whygrad run` does in the program's own: quick enough for many small tests."""

import os
from pathlib import Path
from textwrap import dedent
from typing import Any

from whygrad.frontends import Experiments, Recording
from whygrad.frontends.jax.recorder import JaxRecorder
from whygrad.ir import Event, Op, Outcome, Parameter, Record, Step
from whygrad.ir.wellformed import problems
from whygrad.observing import Observing
from whygrad.program import Target
from whygrad.rules import load_rules

FRONT_ENDS = {"jax": "whygrad.frontends.jax"}
HEAD = "import jax\nimport jax.numpy as jnp\nimport numpy as np\nimport optax\nfrom jax import lax\n"


def watch(recording: Recording) -> tuple[Observing, JaxRecorder]:
    """A recorder at work in this process."""
    observing = Observing(Target("train.py"), recording, load_rules, FRONT_ENDS, None)
    observing.attach("jax")
    assert not observing.faults, observing.faults
    recorder = observing.recorders[0]
    assert isinstance(recorder, JaxRecorder)
    return observing, recorder


def play(folder: Path, program: str) -> dict[str, Any]:
    """Run a program's text as the file `train.py`, with JAX's usual names in sight."""
    path = folder / "train.py"
    path.write_text(HEAD + dedent(program))
    os.utime(path, (0, 0))  # or it would count as changed since the recording began
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(path.read_text(), str(path), "exec"), scope)
    return scope


def recorded(folder: Path, program: str, *, steps: int = 2, experiments: Experiments = "default") -> Record:
    """The well-formed record of a program, without a fault of ours. It is the program's own if the program raises; the exception passes."""
    return recorded_as(folder, program, Recording(steps, None, experiments))


def recorded_as(folder: Path, program: str, recording: Recording) -> Record:
    """The same, as it was asked for."""
    observing, recorder = watch(recording)
    try:
        play(folder, program)
    finally:
        record = observing.finish(Outcome(0))
        recorder.stop()
    assert not record.faults, record.faults
    assert not problems(record), problems(record)
    return record


def line_of(program: str, text: str) -> int:
    """The line of `train.py` that holds `text`, which must be one."""
    found = [number for number, line in enumerate((HEAD + dedent(program)).splitlines(), 1) if text in line]
    assert len(found) == 1, (text, found)
    return found[0]


def events(step: Step, kind: str) -> list[Event]:
    return [event for event in step.events if event.kind == kind]


def ops(step: Step, kind: str) -> list[Op]:
    return [op for op in step.graph.ops if op.kind == kind]


def parameter(step: Step, name: str) -> Parameter:
    return next(p for p in step.parameters if p.name == name)
