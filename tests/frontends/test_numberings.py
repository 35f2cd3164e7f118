"""Whether the numbers of labels mean anything."""

import numpy as np
import pytest

from whygrad.frontends.numberings import numbered


def classes(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    centres, ids = random.standard_normal((count, 15)), random.integers(0, count, 240)
    return centres[ids] + 0.6 * random.standard_normal((240, 15)), ids.astype("float32")


def amounts(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.standard_normal((240, 6))
    size = x[:, 0] + 0.5 * np.sin(x[:, 1]) + 0.3 * random.standard_normal(240)
    return x, np.digitize(size, np.quantile(size, np.arange(1, count) / count)).astype("float32")


@pytest.mark.parametrize("count", [5, 8])
def test_classes_are_fitted_better_under_other_numbers_and_amounts_are_not(count: int) -> None:
    mean = np.mean([numbered((x,), y) or (0.0, 0.0) for x, y in (classes(count, seed) for seed in range(4))], axis=0)
    ordered = numbered((amounts(count, 0)[0],), amounts(count, 0)[1])

    assert mean[0] > 0.2
    assert mean[1] > 0.8
    assert ordered is not None
    assert ordered[0] < 0.05


def test_other_labels_are_left_alone() -> None:
    x, y = classes(6, 0)

    assert numbered((x,), y.astype("int32")) is None
    assert numbered((x,), y + 1) is None
    assert numbered((x,), y + 0.5) is None
    assert numbered((x,), (y > 2).astype("float32")) is None
    assert numbered((np.zeros((240, 3)),), y) is None
