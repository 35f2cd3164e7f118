"""What parameters are called stays the same through a run, however many models come after the first."""

import pytest

from frontends.torch.watching_here import parameters, recorded

pytestmark = pytest.mark.torch

PROBED_FIRST = """
    import copy

    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))
    probe = copy.deepcopy(model)
    inputs, labels = torch.randn(16, 4), torch.randint(0, 3, (16,))
    finder = torch.optim.SGD(probe.parameters(), lr=1e-6)
    for _ in range(4):
        finder.zero_grad()
        F.cross_entropy(probe(inputs), labels).backward()
        finder.step()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        optimizer.zero_grad()
        F.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
"""

WRAPPED_LATER = """
    trunk = nn.Sequential(nn.Linear(4, 6), nn.ReLU())
    decoder = nn.Linear(6, 4)
    inputs, labels = torch.randn(16, 4), torch.randint(0, 3, (16,))
    optimizer = torch.optim.SGD([*trunk.parameters(), *decoder.parameters()], lr=0.1)
    for _ in range(3):
        loss = F.mse_loss(decoder(trunk(inputs)), inputs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model = nn.Sequential(trunk, nn.Linear(6, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        loss = F.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize("program", [PROBED_FIRST, WRAPPED_LATER], ids=["a second model", "a model around it"])
def test_a_parameter_keeps_the_name_that_a_recorded_step_gave_it(tmp_path, program):
    record = recorded(tmp_path, program)

    named = {name for step in record.steps for name in parameters(step)}
    held = {name for optimizer in record.optimizers for group in optimizer.groups for name in group.parameters}
    assert named == held >= set(record.endings)


def test_models_that_come_later_are_told_apart_by_their_variable(tmp_path):
    record = recorded(tmp_path, PROBED_FIRST)

    assert "0.weight" in record.endings
    assert "model.0.weight" in record.endings


MARGIN = """
    class Head(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(3, 4))

        def forward(self, x, k):
            return F.cross_entropy(x @ self.weight.T, k)

    class Wider(Head):
        pass

    def build():
        return Wider()

    body, loss = nn.Linear(4, 4), build()
    optimizer = torch.optim.SGD([*body.parameters(), *loss.parameters()], lr=0.1)
    loss(body(torch.randn(8, 4)), torch.randint(0, 3, (8,))).backward()
    optimizer.step()
"""


def test_a_bare_parameter_knows_the_calls_that_made_its_module(tmp_path):
    record = recorded(tmp_path, MARGIN)

    site = next(p.site for p in record.steps[0].parameters if p.owner.endswith("Wider"))
    assert site is not None
    assert [way.text.strip() for way in site.with_callers][:3] == [
        "self.weight = nn.Parameter(torch.randn(3, 4))",
        "return Wider()",
        "body, loss = nn.Linear(4, 4), build()",
    ]
