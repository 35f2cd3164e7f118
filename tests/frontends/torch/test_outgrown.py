"""Inputs whose scale changes while training goes on."""

import pytest

from frontends.torch.watching_here import recorded
from whygrad.flow import Index
from whygrad.rules.magnitude.unscaled_inputs import diagnose

pytestmark = pytest.mark.torch

TRAINING = """
    from torch.utils.data import ConcatDataset, DataLoader, TensorDataset

    def part(scale):
        x = torch.randn(320, 6)
        return TensorDataset(x * scale, (x[:, 0] > x[:, 1]).long())

    model = nn.Sequential({norm}nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 2))
    optimizer = torch.optim.{optimizer}
    data = {data}
    for loader in data:
        for x, y in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
"""
SGD = "SGD(model.parameters(), lr=0.1, momentum=0.9)"
PARTS = "[DataLoader(part(scale), 32, shuffle=True) for scale in (1, 1, 1, {}, {})]"
WHOLE = "[DataLoader(ConcatDataset([part(1), part(1), part(1), part({})]), 32)]"


def told(folder, data, optimizer=SGD, norm=""):
    record = recorded(folder, TRAINING.format(data=data, optimizer=optimizer, norm=norm))
    return [found for found in diagnose.check(Index(record)) if found.test is None]


@pytest.mark.parametrize("data", [PARTS.format(1000, 1000), WHOLE.format(5000)], ids=["a file after the other", "all in one, in order"])
def test_later_data_in_other_units(tmp_path, data):
    (diagnosis,) = told(tmp_path, data)

    assert diagnosis.evidence[0].measure == "times"
    assert diagnosis.evidence[0].value > 100


@pytest.mark.parametrize(
    ("data", "optimizer", "norm"),
    [
        (PARTS.format(1, 1), SGD.replace("0.1", "300.0"), ""),
        (PARTS.format(3, 3), SGD, ""),
        (PARTS.format(1000, 1000), SGD, "nn.BatchNorm1d(6), "),
    ],
    ids=["a rate that is too large", "a little larger", "a normalisation in front"],
)
def test_what_has_another_cause_or_none(tmp_path, data, optimizer, norm):
    assert not told(tmp_path, data, optimizer, norm)
