"""The callbacks of trainers: their report, their figures in the trainer's own logger, and that they stop only when asked to."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1]
LOGGED = ["whygrad/gradient_norm", "whygrad/label_sensitivity", "whygrad/starved_parameters", "whygrad/update_ratio"]
STEPS = {"lightning": 48, "transformers": 48, "accelerate": 16}
TRAINERS = pytest.mark.parametrize("trainer", list(STEPS))
pytestmark = [pytest.mark.slow, pytest.mark.torch]


@cache
def found(*arguments: str, program: str = "trainers.py") -> dict[str, Any]:
    """What a program of `programs/api` prints: by default what came of one trainer."""
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(TESTS / "programs" / "api" / program), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@TRAINERS
def test_a_sound_training_is_left_alone_and_its_figures_are_logged(trainer):
    told, logged, _ = found(trainer)[f"{trainer} sound"]

    assert told == {"healthy": True, "causes": [], "faults": [], "steps": STEPS[trainer]}
    assert logged == LOGGED


@TRAINERS
def test_a_fault_is_told_and_stops_nothing_unless_that_is_asked_for(trainer):
    told, _, _ = found(trainer)[f"{trainer} cut"]

    assert told == {"healthy": False, "causes": ["detached"], "faults": [], "steps": STEPS[trainer]}


@pytest.mark.parametrize("trainer", ["lightning", "transformers"])
def test_a_training_is_ended_early_where_that_is_asked_for(trainer):
    told, _, _ = found(trainer)[f"{trainer} stopped"]

    assert told["causes"] == ["detached"]
    assert told["steps"] < STEPS[trainer]


@pytest.mark.parametrize("trainer", ["lightning", "transformers"])
def test_a_fault_is_raised_where_that_is_asked_for_and_nothing_else(trainer):
    raised = {name.removeprefix(f"{trainer} "): ended for name, (_, _, ended) in found(trainer).items()}
    told, _, _ = found(trainer)[f"{trainer} raised at its end"]

    assert [name for name, ended in raised.items() if ended] == ["raised", "raised at its end"]
    assert (told["causes"], told["steps"]) == (["detached"], 1)


def test_the_figures_of_a_training_of_one_step_are_logged():
    _, logged, _ = found("lightning")["lightning raised at its end"]

    assert logged == LOGGED


def test_the_figures_of_a_watched_loop_go_to_the_logger_that_is_there():
    held = found(program="loggers.py")

    assert {logger: sorted(figures) for logger, figures in held.items()} == dict.fromkeys(("wandb", "mlflow", "tensorboard"), LOGGED)
    assert held["wandb"] == pytest.approx(held["mlflow"])
    assert held["tensorboard"] == pytest.approx(held["mlflow"])
    assert all(figures["whygrad/gradient_norm"] > 0 for figures in held.values())
