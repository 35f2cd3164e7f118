"""Records PyTorch programs in this process, as `whygrad run` does in the program's own: quick enough for many small tests."""

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from textwrap import dedent
from typing import Any

import torch

from whygrad.frontends import Experiments, Recording
from whygrad.frontends.torch.recorder import TorchRecorder
from whygrad.ir import Event, Op, Outcome, Parameter, Record, Step
from whygrad.observing import Observing
from whygrad.program import Target
from whygrad.rules import load_rules

FRONT_ENDS = {"torch": "whygrad.frontends.torch"}


def recorded(
    folder: Path,
    program: str,
    *,
    steps: int = 2,
    at_step: int | None = None,
    experiments: Experiments = "default",
    names: dict[str, Any] | None = None,
) -> Record:
    """The record of a program. It is the program's own if the program raises; the exception passes."""
    observing, recorder = watch(Recording(steps, at_step, experiments))
    try:
        play(folder, program, names)
    finally:
        recorder.stop() if threading.get_ident() != recorder.thread else None
        record = observing.finish(Outcome(0))
    assert torch._C._len_torch_function_stack() == 0
    return record


def watch(recording: Recording) -> tuple[Observing, TorchRecorder]:
    """A recorder at work in this process."""
    observing = attached(recording)
    assert not observing.faults, observing.faults
    recorder = observing.recorders[0]
    assert isinstance(recorder, TorchRecorder)
    return observing, recorder


def attached(recording: Recording) -> Observing:
    """The same, whether or not it could start."""
    observing = Observing(Target("train.py"), recording, load_rules, FRONT_ENDS, None)
    observing.attach("torch")
    return observing


def play(folder: Path, program: str, names: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run a program's text as the file `train.py`, with PyTorch's usual names in sight."""
    path = folder / "train.py"
    path.write_text(f"import torch\nfrom torch import nn\nF = nn.functional\ntorch.manual_seed(0)\n{dedent(program)}")
    os.utime(path, (0, 0))  # or it would count as changed since the recording began
    scope = {"__name__": "__main__", **(names or {})}
    exec(compile(path.read_text(), str(path), "exec"), scope)
    return scope


def line_of(program: str, text: str) -> int:
    """The line of `train.py` that holds `text`, which must be one."""
    found = [number for number, line in enumerate(dedent(program).splitlines(), 5) if text in line]
    assert len(found) == 1, (text, found)
    return found[0]


def events(step: Step, kind: str) -> list[Event]:
    return [event for event in step.events if event.kind == kind]


def ops(step: Step, kind: str) -> list[Op]:
    return [op for op in step.graph.ops if op.kind == kind]


def parameters(step: Step) -> dict[str, Parameter]:
    return {parameter.name: parameter for parameter in step.parameters}


def called(step: Step, values: Iterable[str]) -> list[str]:
    """What the user's code calls some values."""
    return [step.graph.values[value].called for value in values]
