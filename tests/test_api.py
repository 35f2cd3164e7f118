"""whygrad from Python, in each framework: one step of a model, a block, a loop. Each program runs once, in a process of its own."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parent
FRAMEWORKS = pytest.mark.parametrize("framework", ["torch", "tensorflow", "jax"])
pytestmark = [pytest.mark.slow, pytest.mark.torch]


@cache
def found(framework: str) -> dict[str, Any]:
    """What a program of `programs/api` prints."""
    path = os.pathsep.join([str(TESTS.parent / "src")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    program = TESTS / "programs" / "api" / f"{framework}_api.py"
    done = subprocess.run([sys.executable, str(program)], env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def causes(told: dict[str, Any]) -> list[str]:
    """The names of the root causes; nothing of ours may have failed."""
    assert not told["faults"], told["faults"]
    return [name for name, _ in told["causes"]]


@FRAMEWORKS
def test_a_sound_model_is_said_to_learn_and_is_left_alone(framework):
    answer = found(framework)

    assert answer["sound"]["healthy"] is True
    assert 0.1 < answer["label_sensitivity"] <= 2
    assert answer["learns"][1] < answer["learns"][0]
    assert answer["untouched"] is True


@FRAMEWORKS
def test_labels_that_the_loss_does_not_use_are_told(framework):
    assert causes(found(framework)["unused"]) == ["unused-labels"]


def test_a_lambda_that_does_not_use_the_labels_is_told_in_jax():
    assert causes(found("jax")["unused lambda"]) == ["unused-labels"]


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_an_exception_of_the_model_is_explained(framework):
    told = found(framework)["raises"]

    assert told["healthy"] is False
    assert causes(told) == ["batch-size-mismatch"]


def test_an_exception_that_no_rule_explains_is_told():
    told = found("jax")["raises text"]

    assert "LookupError: no such table" in told
    assert "jax_api.py" in told


def test_a_product_that_jax_refuses_is_explained():
    assert causes(found("jax")["raises"]) == ["input-shape"]


@FRAMEWORKS
def test_a_block_is_recorded(framework):
    assert found(framework)["recording"] == {"healthy": True, "causes": [], "faults": []}


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_cut_is_told_with_its_line(framework):
    told = found(framework)["cut"]

    assert causes(told) == ["detached"]
    assert "detach" in told["causes"][0][1] or "stop_gradient" in told["causes"][0][1]


def test_class_ids_for_one_hot_rows_are_told_of_a_keras_model():
    assert causes(found("tensorflow")["classes"]) == ["sparse-labels-for-dense-loss"]


@pytest.mark.parametrize("kind", ["nnx", "equinox"])
def test_modules_of_jax_libraries_are_models(kind):
    answer = found("jax")

    assert answer[kind] == {"healthy": True, "causes": [], "faults": []}
    assert answer[f"{kind} learns"][1] < answer[f"{kind} learns"][0]


def test_a_report_is_text_and_html():
    answer = found("torch")

    assert answer["text"].startswith("whygrad: no fault found in one step of a `Net`")
    assert "no fault found" in answer["html"]
    assert answer["html"].startswith("<iframe srcdoc=")


def test_a_model_of_no_framework_is_refused_with_what_would_do():
    assert "pair `(apply, params)`" in found("torch")["unknown"]


def test_only_the_outer_recording_reports():
    inner_is_silent, outer = found("torch")["nested"]

    assert inner_is_silent
    assert outer["healthy"] is True


def test_an_exception_is_reported_and_goes_on():
    kind, told = found("torch")["went on"]

    assert kind == "RuntimeError"
    assert causes(told) == ["class-count-mismatch"]


def test_an_optimizer_that_never_steps_is_known_where_it_was_given():
    assert causes(found("torch")["no step"]) == ["missing-step"]


def test_the_figures_of_each_recorded_step_are_logged():
    names = ["gradient_norm", "label_sensitivity", "starved_parameters", "update_ratio"]

    assert found("torch")["logged"] == [[0, names], [1, names]]
    assert found("torch")["watch"]["healthy"] is True


def test_a_loop_is_stopped_where_that_was_asked_for():
    steps, told, has_report = found("torch")["stopped"]

    assert steps < 20
    assert causes(told) == ["detached"]
    assert has_report


def test_a_logger_that_fails_is_a_limit_and_no_more():
    told, limits = found("torch")["broken log"]

    assert told == {"healthy": True, "causes": [], "faults": []}
    assert limits == ["the logger did not take the figures: OSError: disk full"]


def test_the_examples_of_the_documentation_run():
    code = "import doctest, whygrad.api\nprint(doctest.testmod(whygrad.api))"
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=100, check=False)

    assert done.stdout.startswith("TestResults(failed=0, attempted="), done.stdout + done.stderr
