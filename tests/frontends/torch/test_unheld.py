"""Layers in a plain list or dict of a model whose optimizer was given nothing."""

import pytest

from frontends.torch.torch_run import whygrad
from whygrad.ir.record import ALL_FROZEN, NONE_CHOSEN

pytestmark = pytest.mark.torch

PROGRAM = """
import torch
from torch import nn


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = {made}

    def forward(self, x):
        return x


def build():
    model = Tower()
    return model, torch.optim.SGD({given}, lr=0.1)


build()
"""


def ended(tmp_path, **parts):
    """What the record of such a program has of its exception."""
    program = tmp_path / "train.py"
    program.write_text(PROGRAM.format(**{"given": "model.parameters()", **parts}))
    return whygrad(program, tmp_path).record.outcome.exception


@pytest.mark.parametrize("made", ["[nn.Linear(4, 4), nn.Linear(4, 2)]", "{'first': nn.Linear(4, 4)}", "(nn.Linear(4, 4),)"])
def test_the_attribute_and_its_line_are_told(made, tmp_path):
    raised = ended(tmp_path, made=made)

    assert raised.about == "Tower.blocks"
    assert raised.made.line == 9


FROZEN = "[p for p in model.requires_grad_(False).parameters() if p.requires_grad]"


@pytest.mark.parametrize(("given", "about", "line"), [(FROZEN, ALL_FROZEN, 17), ("[]", NONE_CHOSEN, None)])
def test_parameters_that_are_frozen_or_not_chosen_are_told_apart(given, about, line, tmp_path):
    raised = ended(tmp_path, made="nn.ModuleList([nn.Linear(4, 2)])", given=given)

    assert raised.about == about
    assert (raised.made.line if raised.made is not None else None) == line


@pytest.mark.parametrize("parts", [{"made": "[]"}, {"made": "[4, 4]"}, {"made": "nn.ModuleList([nn.ReLU()])"}, {"made": "[nn.ReLU()]"}])
def test_where_there_are_no_such_layers_nothing_is_told(parts, tmp_path):
    raised = ended(tmp_path, **parts)

    assert raised.about == ""
    assert raised.made is None
