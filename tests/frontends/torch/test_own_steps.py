"""Optimizers that the program defines itself: where their step writes."""

import pytest

from frontends.torch.watching_here import recorded
from whygrad.flow import Index
from whygrad.rules.magnitude.non_finite_update import diagnose

pytestmark = pytest.mark.torch

OWN = """
    class Own(torch.optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, dict(lr=lr))

        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    state = self.state[p]
                    state["square"] = p.grad.square()
                    state["square"].add_(0.0)
                    {write}

    embed = nn.Embedding(9, 2)
    optimizer = Own(embed.parameters())
    for step in range(3):
        optimizer.zero_grad()
        loss = (embed(torch.tensor([1, 2, 3])) - 1).square().mean()
        loss.backward()
        optimizer.step()
"""


def written(folder, program):
    record = recorded(folder, program)
    return record.optimizers[0].writes_site, list(diagnose.check(Index(record)))


@pytest.mark.parametrize(
    "write",
    [
        'p.sub_(group["lr"] * p.grad / state["square"].sqrt())',
        'p.data -= group["lr"] * p.grad / state["square"].sqrt()',
        'p.data = p.data - group["lr"] * p.grad / state["square"].sqrt()',
    ],
)
def test_a_division_by_zero_in_an_own_step_is_found_where_it_is_written(tmp_path, write):
    site, (diagnosis,) = written(tmp_path, OWN.format(write=write))

    assert site is not None
    assert write in site.text
    assert diagnosis.site == site


def test_a_sound_own_step_is_known_and_not_blamed(tmp_path):
    site, told = written(tmp_path, OWN.format(write='p.sub_(group["lr"] * p.grad)'))

    assert site is not None
    assert not told


@pytest.mark.parametrize("made", ["torch.optim.SGD(embed.parameters(), lr=0.1)", "Quiet(embed.parameters(), lr=0.1)"])
def test_steps_of_a_library_write_where_nobody_can_mend_it(tmp_path, made):
    quiet = "class Quiet(torch.optim.SGD):\n        pass\n\n    embed ="
    program = OWN.format(write="p.add_(0.0)").replace("embed =", quiet, 1).replace("Own(embed.parameters())", made)

    assert written(tmp_path, program)[0] is None


@pytest.mark.parametrize(
    "program",
    [
        """
    embed = nn.Embedding(9, 2, sparse=True)
    w = embed.weight
    for step in range(3):
        embed(torch.tensor([1, 2, 3])).square().mean().backward()
        with torch.no_grad():
            w -= 0.1 * w.grad.to_dense()
        w.grad = None
        """,
        """
    w = torch.ones(3, dtype=torch.complex64, requires_grad=True)
    for step in range(3):
        (w * torch.tensor([1j, 2.0, 1.0])).abs().square().mean().backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
        w.grad = None
        """,
    ],
    ids=["a sparse gradient", "complex numbers"],
)
@pytest.mark.filterwarnings("error:Casting complex values")
def test_updates_by_hand_whose_direction_is_not_reckoned_are_recorded_all_the_same(tmp_path, program):
    record = recorded(tmp_path, program)
    (update,) = (event for event in record.steps[0].events if event.kind == "update")

    assert "along" not in update.attributes
    assert not record.faults
