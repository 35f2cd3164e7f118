"""An optimizer's `step` that is named and not called: the line is found, in whatever file it stands."""

import pytest

from frontends.torch.torch_run import whygrad

pytestmark = pytest.mark.torch

LOOP = """
from torch import nn


class Fitting:
    def __init__(self, model, optimizer):
        self.model, self.optimizer = model, optimizer

    def once(self, inputs, wanted):
        self.optimizer.zero_grad()
        loss = nn.functional.mse_loss(self.model(inputs), wanted)
        loss.backward()
        {step}
        return float(loss)
"""
PROGRAM = """
import torch
from torch import nn
from loop import Fitting

torch.manual_seed(0)
model = nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
fitting = Fitting(model, optimizer)
for epoch in range(12):
    loss = fitting.once(torch.randn(16, 4), torch.randn(16, 1))
"""


def judged(tmp_path, step):
    """The report of such a program."""
    (tmp_path / "loop.py").write_text(LOOP.format(step=step))
    program = tmp_path / "train.py"
    program.write_text(PROGRAM)
    return whygrad(program, tmp_path).report["diagnoses"]


@pytest.mark.parametrize("step", ["self.optimizer.step", "self.optimizer.step  # one step"])
def test_a_step_without_parentheses(tmp_path, step):
    (found,) = judged(tmp_path, step)

    assert (found["rule"], found["location"]["file"].rpartition("/")[2]) == ("WG405", "loop.py")
    assert found["location"]["text"].strip() == step
    assert found["help"] == "write `self.optimizer.step()`, with the parentheses"
    assert f"+        {step.replace('step', 'step()', 1)}" in found["fix"]["diff"]


def test_a_step_that_is_left_out_is_told_at_the_backward(tmp_path):
    (found,) = judged(tmp_path, "pass")

    assert found["location"]["text"].strip() == "loss.backward()"


@pytest.mark.parametrize("step", ["self.optimizer.step()", "step = self.optimizer.step\n        step()"])
def test_silence(tmp_path, step):
    assert not [found for found in judged(tmp_path, step) if found["rule"] == "WG405"]
