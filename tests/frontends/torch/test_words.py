"""Whether the words of padded rows reach what is predicted for them."""

import pytest

from frontends.torch.watching_here import recorded
from whygrad.flow import Index
from whygrad.rules.labels.padding_used import diagnose

pytestmark = pytest.mark.torch

PADDED = """
    from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
    rows = [torch.randint(1, 30, (length,)) for length in (3, 4, 5, 50) * 4]
    ids = pad_sequence(rows, batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    y = torch.randint(0, 2, (16,))
    embed, gru, head = nn.Embedding(30, 8, padding_idx=0), nn.GRU(8, 16, batch_first=True), nn.Linear(16, 2)
    optimizer = torch.optim.SGD([*embed.parameters(), *gru.parameters(), *head.parameters()], lr=0.01)
    for step in range(4):
        optimizer.zero_grad()
        state = {state}
        loss = F.cross_entropy(head(state), y)
        loss.backward()
        optimizer.step()
"""
LAST = "gru(embed(ids))[0][:, -1]"
FINAL = "gru(embed(ids))[1][-1]"


def told(folder, state):
    return list(diagnose.check(Index(recorded(folder, PADDED.format(state=state)))))


@pytest.mark.parametrize("state", [LAST, FINAL])
def test_words_do_not_come_through_the_padding(tmp_path, state):
    (diagnosis,) = told(tmp_path, state)

    assert diagnosis.evidence[1].measure == "behind"
    assert diagnosis.evidence[1].value < 1e-3


@pytest.mark.parametrize(
    "state",
    [
        "gru(embed(ids))[0][torch.arange(16), lengths - 1]",
        "gru(pack_padded_sequence(embed(ids), lengths, batch_first=True, enforce_sorted=False))[1][-1]",
        "gru(embed(ids.flip(1)))[0][:, -1]",
        "gru(embed(ids))[0].max(1).values",
        "gru(embed(ids[:, :6]))[0][:, -1]",
    ],
    ids=["own end", "packed", "in front", "maximum", "little padding"],
)
def test_words_that_come_through(tmp_path, state):
    assert not told(tmp_path, state)
