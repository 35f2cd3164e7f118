"""Layers that are made anew while training goes on, long after the recorded steps."""

import pytest

from frontends.torch.watching_here import recorded
from whygrad.flow import Index
from whygrad.rules.update.not_in_optimizer import diagnose as not_in_optimizer
from whygrad.rules.update.stale_optimizer import diagnose as stale

pytestmark = pytest.mark.torch

TRAINING = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head, self.other = nn.Linear(4, 8), nn.Linear(8, 2), None

        def forward(self, x):
            return (self.other or self.head)(self.body(x).relu())

    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    for step in range(100):
        if step == 40:
            {change}
        x, y = torch.randn(16, 4), torch.randint(0, 2, (16,))
        loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


def told(folder, change):
    index = Index(recorded(folder, TRAINING.format(change=change)))
    return [found for rule in (stale, not_in_optimizer) for found in rule.check(index)]


@pytest.mark.parametrize(
    ("change", "rule", "name"),
    [
        ("net.head = nn.Linear(8, 3)", "WG402", "head"),
        ("net.body.weight = nn.Parameter(net.body.weight.detach().clone())", "WG402", "body"),
        ("net.other = nn.Linear(8, 2)", "WG401", "other"),
    ],
    ids=["head", "weight", "under another name"],
)
def test_the_optimizer_keeps_the_old_one(tmp_path, change, rule, name):
    (diagnosis,) = told(tmp_path, change)

    assert diagnosis.rule == rule
    assert f"`{name}`" in diagnosis.message


@pytest.mark.parametrize(
    "change",
    [
        "net.head = nn.Linear(8, 3); optimizer = torch.optim.SGD(net.parameters(), lr=0.05)",
        "net.head = nn.Linear(8, 3); optimizer.add_param_group({'params': net.head.parameters()})",
        "net.body.requires_grad_(False)",
        "net.load_state_dict({name: value.clone() for name, value in net.state_dict().items()})",
    ],
    ids=["made anew", "handed over", "frozen", "loaded"],
)
def test_what_is_known_to_the_optimizer(tmp_path, change):
    assert not told(tmp_path, change)
