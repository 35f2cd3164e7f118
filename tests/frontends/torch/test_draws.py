"""Orders that a program draws: told apart by what was drawn."""

import pytest

from frontends.torch.watching_here import ops, recorded

pytestmark = pytest.mark.torch

PROGRAM = """
    X, Y = torch.rand(40, 3), torch.rand(40, 1)
    net = nn.Linear(3, 1)
    one = torch.randperm(40)
    AGAIN
    two = torch.randperm(40)
    xs, ys = X[one], Y[two]
    loss = F.mse_loss(net(xs), ys)
    loss.backward()
"""


@pytest.mark.parametrize(("again", "alike"), {"another draw": ("pass", False), "the same seed": ("torch.manual_seed(5)", True)}.values())
def test_two_orders_are_told_apart(tmp_path, again, alike):
    program = PROGRAM.replace("one = ", "torch.manual_seed(5)\n    one = ").replace("AGAIN", again)
    drawn = [op.attributes["drawn"] for op in ops(recorded(tmp_path, program).steps[0], "random") if op.native == "torch.randperm"]

    assert len(drawn) == 2
    assert (drawn[0] == drawn[1]) is alike
