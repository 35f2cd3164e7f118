"""Updates by hand that bind the name to a new leaf."""

import pytest

from frontends.torch.watching_here import recorded

pytestmark = pytest.mark.torch

LOOP = """
    x = torch.randn(50, 4)
    y = x @ torch.tensor([1.0, -2.0, 0.5, 3.0])
    w = torch.randn(4, requires_grad=True)
    {before}
    for step in range(20):
        loss = ((x @ w - y) ** 2).mean()
        loss.backward()
        {update}
"""


@pytest.mark.parametrize(
    "update",
    [
        "w = (w - 0.05 * w.grad).detach().requires_grad_()",
        "w = w.detach() - 0.05 * w.grad.clamp(-1, 1); w.requires_grad = True",
        "w = torch.sub(w, w.grad, alpha=0.05).detach().requires_grad_(True)",
    ],
)
def test_each_turn_is_a_step(tmp_path, update):
    record = recorded(tmp_path, LOOP.format(before="pass", update=update))

    assert record.outcome.steps_seen == 20
    assert len(record.steps) == 2
    assert all(len([event for event in step.events if event.kind == "backward"]) == 1 for step in record.steps)


@pytest.mark.parametrize(
    ("before", "update"),
    [
        ("pass", "v = torch.zeros(4).requires_grad_()"),
        ("optimizer = torch.optim.SGD([w], lr=0.1)", "v = (w + 0.1 * w.grad.sign()).detach().requires_grad_()"),
    ],
    ids=["another leaf", "beside an optimizer"],
)
def test_leaves_that_are_no_update(tmp_path, before, update):
    record = recorded(tmp_path, LOOP.format(before=before, update=update))

    assert not any(event.kind == "update" for step in record.steps for event in step.events)
