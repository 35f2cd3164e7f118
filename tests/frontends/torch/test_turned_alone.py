"""Data sets that flip images by NumPy without their masks."""

import pytest

from frontends.torch.watching_here import recorded
from whygrad.flow import Index
from whygrad.rules.labels.misaligned_labels import diagnose

pytestmark = pytest.mark.torch

TRAINING = """
    import numpy as np
    from torch.utils.data import DataLoader, Dataset

    rng = np.random.default_rng(0)

    class Cells(Dataset):
        def __len__(self):
            return 96

        def __getitem__(self, i):
            mask = np.zeros((16, 16), np.float32)
            row, column = rng.integers(1, 11, 2)
            mask[row : row + 4, column : column + 4] = 1
            image = mask + rng.normal(0, 0.3, mask.shape).astype(np.float32)
            if rng.random() < {often}:
                {turn}
            return torch.from_numpy(image.copy())[None], torch.from_numpy(mask.copy())[None]

    model = nn.Conv2d(1, 1, 3, padding=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for image, mask in DataLoader(Cells(), 16):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(model(image), {target})
        loss.backward()
        optimizer.step()
"""


def told(folder, turn, often=0.5, target="mask"):
    return list(diagnose.check(Index(recorded(folder, TRAINING.format(turn=turn, often=often, target=target)))))


@pytest.mark.parametrize("turn", ["image = np.fliplr(image)", "mask = mask[::-1]", "image = np.rot90(image)"])
def test_one_side_alone(tmp_path, turn):
    (diagnosis,) = told(tmp_path, turn)

    assert diagnosis.rule == "WG104"
    assert diagnosis.site is not None
    assert turn in diagnosis.site.text


@pytest.mark.parametrize(
    ("turn", "often", "target"),
    [
        ("image, mask = image[::-1], mask[::-1]", 0.5, "mask"),
        ("image = np.flipud(image)", 1.1, "mask"),
        ("image = image + 1", 0.5, "mask"),
        ("image = np.fliplr(image)", 0.5, "mask.mean((2, 3), keepdim=True).expand(-1, -1, 16, 16)"),
    ],
    ids=["both", "stored so", "not turned", "another target"],
)
def test_pairs_that_are_meant(tmp_path, turn, often, target):
    assert not told(tmp_path, turn, often, target)
