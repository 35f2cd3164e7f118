"""A backward within another one, by which a reentrant checkpoint goes back through its block, is no backward of the program's."""

import pytest
import torch

from frontends.torch.watching_here import recorded

pytestmark = pytest.mark.torch

CHECKPOINTED = """
from torch.utils.checkpoint import checkpoint

torch.manual_seed(0)
blocks = nn.ModuleList(nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(2))
head = nn.Linear(4, 1)
optimizer = torch.optim.SGD([*blocks.parameters(), *head.parameters()], lr=0.1)
for _ in range(12):
    hidden = torch.randn(8, 4).requires_grad_()
    for block in blocks:
        hidden = checkpoint(block, hidden, use_reentrant=True)
    loss = (head(hidden) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_steps_are_of_one_kind_and_have_one_backward(tmp_path):
    record = recorded(tmp_path, CHECKPOINTED)

    assert [step.kind for step in record.steps] == [0, 0]
    assert [sum(event.kind == "backward" for event in step.events) for step in record.steps] == [1, 1]
    assert record.outcome.steps_seen == 12


def test_gradients_are_the_programs_own(tmp_path):
    record = recorded(tmp_path, CHECKPOINTED)

    found = {p.name: p.gradient_norm for p in record.steps[0].parameters}
    assert all(norm is not None and norm > 0 for norm in found.values())
    assert torch.is_grad_enabled()
