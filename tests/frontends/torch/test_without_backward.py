"""Programs whose optimizer steps, and that never run a backward: told where a loss could have been differentiated, and there alone."""

import pytest

from frontends.torch.torch_run import whygrad

pytestmark = pytest.mark.torch

PROGRAM = """
import torch
from torch import nn

torch.manual_seed(0)
points, labels = torch.randn(32, 6), torch.randint(0, 2, (32,))
model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, 5)


def advance(batch, wanted):
    optimizer.zero_grad()
    {forward}
    {backward}
    optimizer.step()
    return loss


for epoch in range({epochs}):
    loss = advance(points, labels)
"""
FORWARD = "loss = nn.functional.cross_entropy(model(batch), wanted)"


def judged(tmp_path, forward=FORWARD, backward="pass", epochs=12):
    """The report of such a program."""
    program = tmp_path / "train.py"
    program.write_text(PROGRAM.format(forward=forward, backward=backward, epochs=epochs))
    return whygrad(program, tmp_path).report


WRITTEN = "loss = ((model(batch)[:, 0] - wanted) ** 2).mean()"
FIRES = {
    "forgotten": (FORWARD, "pass"),
    "not called": (FORWARD, "loss.backward"),
    "only printed": (FORWARD, "print(float(loss))"),
    "of a loss that is written by hand": (WRITTEN, "pass"),
}


@pytest.mark.parametrize(("forward", "backward"), FIRES.values(), ids=FIRES)
def test_a_backward_that_never_runs(tmp_path, forward, backward):
    (found,) = judged(tmp_path, forward, backward)["diagnoses"]

    assert found["rule"] == "WG308"
    assert found["location"]["text"].strip() == forward
    assert "+    loss.backward()" in found["fix"]["diff"]


SILENT = {
    "a schedule is drawn": ("loss = None", "pass", 12),
    "gradients that are written by hand": (FORWARD, "model[0].weight.grad = torch.ones_like(model[0].weight)", 12),
    "gradients that were asked for one by one": (
        FORWARD,
        "for p, g in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters()))): p.grad = g",
        12,
    ),
    "nothing of the model's": ("model(batch); loss = batch.mean()", "pass", 12),
    "one update alone": (FORWARD, "pass", 1),
}


@pytest.mark.parametrize(("forward", "backward", "epochs"), SILENT.values(), ids=SILENT)
def test_silence(tmp_path, forward, backward, epochs):
    assert not judged(tmp_path, forward, backward, epochs)["diagnoses"]
