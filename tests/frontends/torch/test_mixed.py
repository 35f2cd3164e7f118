"""Gradients that an evaluation leaves to the next update."""

import pytest

from frontends.torch.watching_here import line_of, recorded
from whygrad.flow import Index
from whygrad.flow.origins import evaluated_at

pytestmark = pytest.mark.torch

EPOCHS = """
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.2), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss_of():
        return F.cross_entropy(model(torch.randn(8, 4, requires_grad=True)), torch.randint(0, 3, (8,)))

    for epoch in range(4):
        model.train()
        for _ in range({steps}):
            {before}
            loss_of().backward()
            optimizer.step()
            {after}
        model.eval()
        {evaluation}
"""
PLAIN: dict[str, object] = {
    "steps": 5,
    "before": "pass",
    "after": "optimizer.zero_grad()",
    "evaluation": "loss_of().backward()  # evaluation",
}


def test_a_backward_of_an_evaluation_that_the_next_update_uses(tmp_path):
    program = EPOCHS.format(**PLAIN)
    site = evaluated_at(Index(recorded(tmp_path, program)))

    assert site is not None
    assert site.line == line_of(program, "# evaluation")


def test_one_that_is_made_by_a_function_of_the_evaluation(tmp_path):
    evaluation = "[loss_of().backward(retain_graph=True) for _ in range(3)]  # evaluation"

    assert evaluated_at(Index(recorded(tmp_path, EPOCHS.format(**PLAIN | {"evaluation": evaluation})))) is not None


SOUND: dict[str, dict[str, object]] = {
    "cleared before each backward": {"before": "optimizer.zero_grad()", "after": "pass"},
    "cleared at the end of the evaluation": {"evaluation": "loss_of().backward(); model.zero_grad()"},
    "cleared by hand": {"evaluation": "loss_of().backward(); [setattr(p, 'grad', None) for p in model.parameters()]"},
    "a gradient by the input alone": {"evaluation": "torch.autograd.grad(loss_of(), model[0].weight)"},
    "no gradient": {"evaluation": "loss_of()"},
    "two losses in two modes, at every update": {
        "steps": 1,
        "before": "model.eval(); loss_of().backward(); model.train()",
        "evaluation": "pass",
    },
    "trained in evaluation mode all along": {"before": "model.eval()"},
}


@pytest.mark.parametrize("name", SOUND)
def test_evaluations_that_leave_nothing(name, tmp_path):
    assert evaluated_at(Index(recorded(tmp_path, EPOCHS.format(**PLAIN | SOUND[name])))) is None
