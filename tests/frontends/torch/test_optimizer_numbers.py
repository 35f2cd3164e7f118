"""Optimizers that are made again and again, some of them where another one lay in memory."""

import torch

from whygrad.frontends.torch.optimizers import Optimizers


def test_each_is_an_entry_of_its_own() -> None:
    optimizers = Optimizers()
    kept = []
    for number in range(60):
        made = torch.optim.SGD([torch.zeros(1)], lr=0.1)
        optimizers.meet(made)
        kept += [made] if number % 3 == 0 else []

    assert [entry.number for entry in optimizers.all()] == list(range(60))
