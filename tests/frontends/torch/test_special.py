"""Experiments that are more than one changed replay: ReLUs between layers, the later part of a sequence changed, other random numbers."""

import pytest

from frontends.torch.watching_here import recorded
from whygrad.ir import Descend, Perturb, Record, Reseed, Trial

pytestmark = pytest.mark.torch

STACK = """
    points = 2 * torch.rand(512, 2) - 1
    inside = (points.norm(dim=1, keepdim=True) < 0.75).float()
    model = nn.Sequential(nn.Linear(2, 32), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(2):
        rows = torch.randint(0, 512, (128,))
        loss = F.binary_cross_entropy_with_logits(model(points[rows]), inside[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
SEQUENCE = """
    letters, reader, scores = nn.Embedding(9, 12), nn.GRU(12, 12, batch_first=True, bidirectional=BOTH), nn.Linear(WIDTH, 9)
    model = nn.ModuleList([letters, reader, scores])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        words = torch.randint(0, 9, (ROWS, 11))
        said = scores(reader(letters(words[:, :-1]))[0])
        loss = F.cross_entropy(said.transpose(1, 2), words[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
DROPPED = """
    model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Dropout(0.95), nn.Linear(64, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        loss = F.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 3, (8,)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


def trials(record: Record, kind: type) -> list[Trial]:
    return [trial for step in record.steps for trial in step.trials if isinstance(trial.intervention, kind) and not trial.reason]


def test_relus_bend_what_affine_layers_can_not(tmp_path):
    found = [trial for trial in trials(recorded(tmp_path, STACK), Descend) if trial.figures]

    assert found
    assert all(trial.losses[-1] < 0.8 * trial.plain[-1] for trial in found)
    assert all(trial.figures["permuted"] > trial.losses[-1] for trial in found)


@pytest.mark.parametrize("rows", [6, 1])
@pytest.mark.parametrize(("both", "width"), [(True, 24), (False, 12)])
def test_what_a_later_entry_changes(tmp_path, both, width, rows):
    program = SEQUENCE.replace("BOTH", str(both)).replace("WIDTH", str(width)).replace("ROWS", str(rows))
    trial, *_ = trials(recorded(tmp_path, program), Perturb)

    assert trial.figures["shifted"] == 1.0
    assert (trial.figures["leak"] > 1e-2) is both
    assert trial.figures["control"] == 0.0
    assert bool(trial.where) is both


def test_gradients_under_other_draws(tmp_path):
    trial, *_ = trials(recorded(tmp_path, DROPPED), Reseed)

    assert -1 <= trial.figures["cosine"] < 0.9


def test_experiments_leave_the_random_numbers_alone(tmp_path):
    numbers = []
    for program in (DROPPED, SEQUENCE.replace("BOTH", "True").replace("WIDTH", "24").replace("ROWS", "6"), STACK):
        record = recorded(tmp_path, program)
        numbers.append([step.measures.reproduced for step in record.steps])

    assert all(reproduced for steps in numbers for reproduced in steps)
