"""Custom backwards that do not use the gradient that they are given: found by giving them twice as much."""

import pytest

from frontends.torch.watching_here import recorded
from whygrad.ir import Differentiate

pytestmark = pytest.mark.torch

PROGRAM = """
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.square()

        @staticmethod
        def backward(ctx, given):
            (x,) = ctx.saved_tensors
            return {returned}

    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for step in range(3):
        loss = Own.apply(model(torch.randn(8, 4))).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize(
    ("returned", "deaf"),
    [("2 * x", True), ("torch.ones_like(x)", True), ("3 * x * given", False), ("2 * x * given", False), ("torch.zeros_like(x)", False)],
    ids=["it is left out", "so it is with ones", "another factor", "right", "nothing at all"],
)
def test_a_backward_that_is_given_twice_as_much(tmp_path, returned: str, *, deaf: bool) -> None:
    record = recorded(tmp_path, PROGRAM.format(returned=returned))
    trials = [trial for step in record.steps for trial in step.trials if isinstance(trial.intervention, Differentiate)]

    assert trials
    assert all(bool(trial.figures.get("deaf")) is deaf for trial in trials)
