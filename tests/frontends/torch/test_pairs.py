"""What is recorded of inputs and labels that do not belong together."""

from pathlib import Path

import pytest

from frontends.torch.watching_here import recorded

pytestmark = pytest.mark.torch

COLLATED = """
    class Words(torch.utils.data.Dataset):
        def __init__(self):
            self.items = [(torch.arange(n) + 1 + 40 * n, float(n % 2)) for n in torch.randperm(30).add(3).tolist()]

        def __len__(self):
            return 30

        def __getitem__(self, i):
            return self.items[i]

    def collate(items):
        words, labels = zip(*items)
        order = sorted(range(len(words)), key=lambda at: -len(words[at]))
        words = nn.utils.rnn.pad_sequence([words[at] for at in order], batch_first=True)
        return words, torch.tensor(labels)

    model = nn.Sequential(nn.Embedding(2000, 4), nn.Flatten(0, 1), nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = torch.utils.data.DataLoader(Words(), batch_size=15, collate_fn=collate)
    for words, labels in loader:
        scores = model(words).reshape(len(words), -1).mean(1)
        loss = F.binary_cross_entropy_with_logits(scores, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
SHIFTED = """
    x = torch.randn(300, 5)
    y = (x[:, 0] + x[:, 1] > 0).long()
    data = torch.utils.data.TensorDataset(x[:-1], y[1:])
    model = nn.Linear(5, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-5)
    for epoch in range(4):
        for inputs, labels in torch.utils.data.DataLoader(data, batch_size=30, shuffle=True):
            loss = F.cross_entropy(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
"""


def test_a_collate_function_that_sorts_one_part_is_recorded(tmp_path: Path):
    record = recorded(tmp_path, COLLATED)
    (found,) = record.collations

    assert (found.path, found.other, found.rows) == ("[0]", "[1]", 15)
    assert found.moved
    assert not record.faults


def test_a_collate_function_that_keeps_pairs_is_not(tmp_path: Path):
    assert recorded(tmp_path, COLLATED.replace("torch.tensor(labels)", "torch.tensor([labels[at] for at in order])")).collations == ()


def test_shifted_labels_are_fitted_where_the_loss_stands(tmp_path: Path):
    fits = recorded(tmp_path, SHIFTED).fits

    assert any(fit.order == "shifted by 1" and fit.restored is not None and fit.restored > 12 for fit in fits)


def test_nothing_is_fitted_where_the_loss_falls(tmp_path: Path):
    assert recorded(tmp_path, SHIFTED.replace("x[:-1], y[1:]", "x, y").replace("lr=1e-5", "lr=1.0")).fits == ()
