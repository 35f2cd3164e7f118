"""Training is left alone: programs end with the same bits with and without whygrad, and the recorded steps replay bit for bit."""

import subprocess
import sys

import pytest

from frontends.torch.torch_run import PROGRAMS, plain, whygrad
from programs_run import environment

LABELLED = ("mlp", "encoder", "llama", "trainer", "lightning_fit", "lstm", "checkpointed", "amp", "lbfgs", "inplace", "workers", "transforms",
            "functions", "adams", "accumulation", "compiled", "lazy")  # fmt: skip
UNLABELLED = ("gan", "by_hand")
EAGER_FIRST = {"compiled": ("--eager-first",)}
"""Recorded steps of compiled programs run eagerly, and the report says so: compared with a plain run that does the same."""

pytestmark = [pytest.mark.torch, pytest.mark.slow]


@pytest.mark.parametrize("name", [*LABELLED, *UNLABELLED])
def test_a_program_ends_with_the_same_bits_and_replays_with_the_recorded_ones(name, tmp_path):
    alone = plain(PROGRAMS / f"{name}.py", *EAGER_FIRST.get(name, ()))
    watched = whygrad(PROGRAMS / f"{name}.py", tmp_path)

    assert alone.returncode == 0, alone.stderr
    assert watched.process.returncode == 0, watched.process.stderr
    assert watched.process.stdout == alone.stdout
    assert not watched.record.faults
    assert len(watched.record.steps) >= 2
    assert [step.measures.reproduced for step in watched.record.steps] == [True] * len(watched.record.steps)
    assert watched.report["healthy"] is not False, watched.process.stderr
    if name in LABELLED:
        assert all((step.measures.label_sensitivity or 0.0) > 0.01 for step in watched.record.steps)


def test_the_command_leaves_a_program_alone_as_the_pool_does():
    program = PROGRAMS / "mlp.py"
    env = {**environment(), "OMP_NUM_THREADS": "1"}
    commands = ([sys.executable, str(program)], [sys.executable, "-m", "whygrad", "run", str(program)])
    outputs = [subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout for command in commands]

    assert outputs == [plain(program).stdout] * 2
