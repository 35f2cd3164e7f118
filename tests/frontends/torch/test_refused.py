"""Programs that end where something refuses numbers that are not finite: they are followed back, in recorded steps and in others."""

import pytest

from frontends.torch.torch_run import whygrad

pytestmark = pytest.mark.torch

PROGRAM = """
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
inputs = torch.rand(320, 6)
wanted = (inputs[:, :1] > 0.5).float()
{spoilt}

for start in range(0, 320, 16):
    batch, labels = inputs[start:start + 16], wanted[start:start + 16]
    {loss}
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
PROBABILITY = "loss = nn.functional.binary_cross_entropy(torch.sigmoid(model(batch)[:, :1]), labels)"
LOGARITHM = "loss = nn.functional.binary_cross_entropy(torch.sigmoid(model(torch.log(batch + 0.5))[:, :1]), labels)"
DENSITY = "loss = -torch.distributions.Normal(*model(torch.log(batch + 0.5)).exp().split(1, 1)).log_prob(labels).mean()"

FIRES = {
    "missing from the first batch": ("inputs[3, 2] = float('nan')", PROBABILITY, "WG501", "inputs = torch.rand(320, 6)"),
    "missing from the 19th": ("inputs[300, 2] = float('nan')", PROBABILITY, "WG501", "inputs = torch.rand(320, 6)"),
    "a logarithm in the first batch": ("inputs[3, 2] = -1", LOGARITHM, "WG502", LOGARITHM),
    "a logarithm in the 19th": ("inputs[300, 2] = -1", LOGARITHM, "WG502", LOGARITHM),
    "a distribution's own check": ("inputs[300, 2] = -1", DENSITY, "WG502", DENSITY),
}


def judged(tmp_path, spoilt, loss):
    """The report of such a program."""
    program = tmp_path / "train.py"
    program.write_text(PROGRAM.format(spoilt=spoilt, loss=loss))
    return whygrad(program, tmp_path).report


@pytest.mark.parametrize(("spoilt", "loss", "rule", "line"), FIRES.values(), ids=FIRES)
def test_what_was_refused_is_followed_back(tmp_path, spoilt, loss, rule, line):
    report = judged(tmp_path, spoilt, loss)
    found = report["diagnoses"][0]

    assert (found["rule"], found["location"]["text"].strip()) == (rule, line)
    assert "loss is not finite" not in found["message"]
    assert "the program stopped with" in str(found["symptoms"])


SILENT = {
    "logits, which are finite (WG206)": ("", PROBABILITY.replace("torch.sigmoid(model(batch)[:, :1])", "model(batch)[:, :1]")),
    "an exception of the program's own": ("", "raise ValueError('need a finite budget')"),
    "what is missing was filled in": (
        "inputs[3, 2] = float('nan')",
        "loss = model(torch.nan_to_num(batch)).sum(); raise ValueError('need a finite budget')",
    ),
    "a constraint of something else": ("", "loss = model(batch).sum(); raise KeyError('UNIQUE constraint failed')"),
    "a mask": (
        "",
        "scores = model(batch).masked_fill(batch[:, :2] > 0.5, float('-inf')); torch.softmax(scores, 0); raise ValueError('a constraint')",
    ),
}


@pytest.mark.parametrize(("spoilt", "loss"), SILENT.values(), ids=SILENT)
def test_silence(tmp_path, spoilt, loss):
    assert not {found["rule"] for found in judged(tmp_path, spoilt, loss)["diagnoses"]} & {"WG501", "WG502", "WG503", "WG504"}


LAYER = """
import torch
from torch import nn

torch.manual_seed(0)
layer, head = nn.{layer}({size}, 5, batch_first=True), nn.Linear(5, 1)
optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()], lr=1e-2)
waves = torch.rand(16, 7, 3){cast}
for _ in range(2):
    loss = head(layer(waves)[0][:, -1]).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
CHECKED = {
    "a dtype": ("GRU", 3, ".double()", "WG707", "waves = torch.rand(16, 7, 3).double()"),
    "a size": ("LSTM", 4, "", "WG705", "layer, head = nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 1)"),
}


@pytest.mark.parametrize(("layer", "size", "cast", "rule", "line"), CHECKED.values(), ids=CHECKED)
def test_what_a_recurrent_layer_refuses_before_it_calls_anything_is_followed_back(tmp_path, layer, size, cast, rule, line):
    program = tmp_path / "train.py"
    program.write_text(LAYER.format(layer=layer, size=size, cast=cast))
    found = whygrad(program, tmp_path).report["diagnoses"][0]

    assert (found["rule"], found["location"]["text"].strip()) == (rule, line)
