"""What watching and recording cost a PyTorch program, next to `detect_anomaly` and a logger of gradient norms, all in one run.

The step: a transformer of 4 layers, 256 wide, 16 rows of 128 tokens, AdamW, on one thread of the CPU. The five ways of running it take turns, in
another order each round, and every figure is the median of a round's ratios. Options: `--rounds N`, `--only steps|start|memory`.
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

import torch
from torch import Tensor, nn

from whygrad.frontends import Recording
from whygrad.frontends.torch.recorder import TorchRecorder
from whygrad.ir import Record, Step
from whygrad.replay import Replay

WIDTH, LAYERS, ROWS, TOKENS, WORDS = 256, 4, 16, 128, 1000
ROUNDS = 30
STARTS = 9
NEVER = 10**9
"""A step number that is not reached: the recorder only watches."""

TRIVIAL = """
import torch
print(torch.ones(3).sum().item())
"""
TRAINING = """
import torch
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    loss = torch.nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 2, (8,)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


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


class Network(nn.Module):
    """A small transformer classifier of tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(WORDS, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, LAYERS)
        self.head = nn.Linear(WIDTH, WORDS)

    def forward(self, ids: Tensor) -> Tensor:
        found: Tensor = self.head(self.encoder(self.embed(ids)))
        return found


class Training:
    """One training step, to be run in several ways."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = Network()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-4)
        self.ids = torch.randint(0, WORDS, (ROWS, TOKENS))

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.loss().backward()
        self.optimizer.step()

    def loss(self) -> Tensor:
        return nn.functional.cross_entropy(self.model(self.ids).flatten(0, 1), self.ids.flatten())


def seconds(action: Callable[[], object]) -> float:
    """CPU seconds of this process."""
    began = time.process_time()
    action()
    return time.process_time() - began


def plain(training: Training) -> float:
    return seconds(training.step)


def watched(training: Training) -> float:
    """The recorder is attached and waits for a step that does not come."""
    recorder = TorchRecorder(Silent(), Recording(at_step=NEVER, experiments="off"))
    recorder.start()
    try:
        return seconds(training.step)
    finally:
        recorder.stop()


def recorded(training: Training) -> float:
    """One recorded step, with all that is made of it."""
    recorder = TorchRecorder(Silent(), Recording(experiments="off"))
    recorder.start()

    def step() -> None:
        training.step()
        recorder.end_step()

    try:
        return seconds(step)
    finally:
        recorder.stop()
        assert len(recorder.steps) == 1


def anomaly(training: Training) -> float:
    with torch.autograd.set_detect_anomaly(True):
        return seconds(training.step)


def logged(training: Training) -> float:
    """What a logger of per-parameter gradient norms does after each backward."""

    def step() -> None:
        training.optimizer.zero_grad()
        training.loss().backward()
        _ = {name: p.grad.norm().item() for name, p in training.model.named_parameters() if p.grad is not None}
        training.optimizer.step()

    return seconds(step)


WAYS: dict[str, tuple[Callable[[Training], float], str]] = {
    "watching between recorded steps": (watched, "<= 1.01"),
    "a recorded step, no experiments": (recorded, "<= 1.5"),
    "torch.autograd.set_detect_anomaly": (anomaly, ""),
    "a logger of gradient norms": (logged, ""),
}


def steps(rounds: int) -> None:
    """Ratios to the plain step."""
    training, order = Training(), random.Random(0)
    for way in (plain, watched, recorded):
        way(training)
    ratios: dict[str, list[float]] = {name: [] for name in WAYS}
    base = []
    for _ in range(rounds):
        names = [*WAYS]
        order.shuffle(names)
        before = plain(training)
        taken = {name: WAYS[name][0](training) for name in names}
        mean = (before + plain(training)) / 2  # around the others, so that a drift of the machine cancels
        base.append(mean)
        for name in names:
            ratios[name].append(taken[name] / mean)
    print(f"plain step: {median(base) * 1000:.0f} ms of CPU time, {rounds} rounds")
    for name, (_, must) in WAYS.items():
        row(name, must, f"{median(ratios[name]):.3f} x")


def row(what: str, must: str, measured: str) -> None:
    print(f"  {what:48}{must:>12}{measured:>14}")


def child(arguments: list[str]) -> tuple[float, float]:
    """CPU seconds and peak MB of a process."""
    read, write = os.pipe()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled once
    with subprocess.Popen([sys.executable, *arguments], stdout=write, stderr=write, env=environment) as process:
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            said = pipe.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{arguments} ended with {process.returncode}\n{said.decode()}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def start(folder: Path) -> None:
    """Start-up in CPU seconds: best of several, since a busy machine only ever adds."""
    programs = {"trivial.py": TRIVIAL, "training.py": TRAINING}
    ways = {(name, *way): [*way, str(folder / name)] for name in programs for way in ((), ("-m", "whygrad", "run"))}
    for name, text in programs.items():
        (folder / name).write_text(text)
    taken = {key: min(child(arguments)[0] for _ in range(STARTS)) for key, arguments in ways.items()}
    alone, under, training, watched_training = taken.values()
    print(f"start-up: best of {STARTS}, in CPU seconds; a program that imports torch and adds three numbers takes {alone:.2f} s alone")
    row("whygrad run, on top of that program", "<= 0.3 s", f"{under - alone:.2f} s")
    row("the same with three steps, two experiments", "", f"{watched_training - training:.2f} s")
    row("whygrad --help", "<= 0.15 s", f"{min(child(['-m', 'whygrad', '--help'])[0] for _ in range(STARTS)):.2f} s")


def memory() -> None:
    """Peak memory of three steps, all but the last recorded."""
    alone = [child([__file__, "--train"])[1] for _ in range(3)]
    under = [child(["-m", "whygrad", "run", "--experiments", "off", __file__, "--train"])[1] for _ in range(3)]
    print(f"peak memory: {median(alone):.0f} MB alone")
    row("two recorded steps, no experiments", "<= 1.2", f"{median(under) / median(alone):.2f} x")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--only", choices=["steps", "start", "memory"])
    options.add_argument("--train", action="store_true", help="three plain steps: the program whose memory is measured")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    if chosen.train:
        training = Training()
        for _ in range(3):
            training.step()
        return
    row("", "must", "measured")
    if chosen.only in (None, "steps"):
        steps(chosen.rounds)
    if chosen.only in (None, "start"):
        with tempfile.TemporaryDirectory() as folder:
            start(Path(folder))
    if chosen.only in (None, "memory"):
        memory()


if __name__ == "__main__":
    main()
