"""Whether inputs tell anything about their labels: kernel fits that leave each row out in turn, against the same on permuted labels.

NumPy comes with every framework, and this is imported by front ends alone. Nothing of the data is kept; figures come out.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
else:
    Array = Any

ROWS = 512
"""Rows that are fitted: a fit takes 0.1 s, and an accuracy of 60 % with two classes stands out from chance by 4 standard deviations."""
FEWEST = 128
"""Rows below which a weak relation can't be told from none."""
WIDTH = 256
"""Features that a row is brought to: blocks of large ones are averaged, ids are counted."""
PERMUTATIONS = 50
"""Permuted labels that the fit is compared with."""
RIDGES = (0.03, 0.3, 3.0)
"""Strengths of the penalty, as shares of the kernel's mean diagonal."""
FEW = 20
"""Different whole numbers up to which labels are classes."""
ORDERS = ("reversed", *(f"shifted by {by}" for by in (1, -1, 2, -2, 3, -3)))
"""Other orders of the labels that are tried, where rows come in the order of the data set."""


def features(inputs: Sequence[Array]) -> Array:
    """One row of numbers for each example: large rows averaged in blocks, ids counted; columns of mean 0 and standard deviation 1."""
    import numpy as np

    parts = [part for array in inputs for part in _parts(array)]
    table = np.nan_to_num(np.concatenate(parts, axis=1), posinf=0.0, neginf=0.0)
    centred = table - table.mean(0)
    spread = centred.std(0)
    found: Array = centred[:, spread > 0] / spread[spread > 0]
    return found


def _parts(array: Array) -> Iterator[Array]:
    import numpy as np

    flat = array.reshape(len(array), -1)
    if flat.dtype.kind in "iub" and flat.shape[1] > 1:
        yield np.stack([np.bincount(row.astype(np.int64) % WIDTH, minlength=WIDTH) for row in flat]).astype(np.float64)
    flat = flat.astype(np.float64)
    if flat.shape[1] > WIDTH:
        flat = flat[:, : flat.shape[1] // WIDTH * WIDTH].reshape(len(flat), WIDTH, -1).mean(2)
    yield flat


def targets(labels: Array) -> Array | None:
    """Classes as one-hot columns, numbers by their rank; None where they do not vary or are too many for a row."""
    import numpy as np

    flat = labels.reshape(len(labels), -1).astype(np.float64)
    if not np.isfinite(flat).all() or flat.shape[1] > WIDTH:
        return None
    levels = np.unique(flat)
    if flat.shape[1] == 1 and len(levels) <= FEW and bool((levels == np.round(levels)).all()):
        flat = (flat == levels[None]).astype(np.float64)
    else:
        flat = flat.argsort(0).argsort(0).astype(np.float64)
    centred: Array = flat - flat.mean(0)
    return centred if bool(centred.any()) else None


def hats(table: Array) -> Iterator[Array]:
    """Matrices that turn labels into the residuals of a fit that leaves the row out: a linear and a local kernel, weak and strong penalties."""
    import numpy as np

    linear = table @ table.T / max(1, table.shape[1])
    squares = np.diag(linear)
    apart = np.maximum(squares[:, None] + squares[None] - 2 * linear, 0.0)
    local = np.exp(-apart / max(float(np.median(apart)), 1e-12))
    for kernel in (linear, local - local.mean(0) - local.mean(1)[:, None] + local.mean()):
        for ridge in RIDGES:
            penalty = ridge * max(float(np.trace(kernel)) / len(kernel), 1e-12)
            hat = np.linalg.solve(kernel + penalty * np.eye(len(kernel)), kernel)
            yield (np.eye(len(kernel)) - hat) / np.maximum(1 - np.diag(hat), 1e-9)[:, None]


def scores(inputs: Sequence[Array], labels: Array, orders: Sequence[str] = ()) -> dict[str, float]:
    """Order of the labels ("" as they are) to the advantage over permuted labels, in standard deviations; empty where nothing can be fitted."""
    import numpy as np

    try:
        with np.errstate(all="ignore"):
            return _scores(inputs, labels, orders)
    except np.linalg.LinAlgError:
        return {}


def _scores(inputs: Sequence[Array], labels: Array, orders: Sequence[str]) -> dict[str, float]:
    import numpy as np

    wanted, table = targets(labels), features(inputs)
    if wanted is None or not table.size:
        return {}
    generator = np.random.default_rng(0)
    tried = [wanted, *(ordered(wanted, order) for order in orders)]
    shuffled = [wanted[generator.permutation(len(wanted))] for _ in range(PERMUTATIONS)]
    lost = np.array([[float(np.square(hat @ each).sum()) for each in (*tried, *shuffled)] for hat in hats(table)])
    count = len(tried)
    chance = lost[:, count:]
    relative = (chance.mean(1)[:, None] - lost) / np.maximum(chance.std(1), 1e-12)[:, None]
    best = relative.max(0)
    usual = best[count:]
    return {name: float((best[at] - usual.mean()) / max(usual.std(), 1e-12)) for at, name in enumerate(("", *orders))}


def constant_costs(labels: Array) -> tuple[float | None, float]:
    """What the best constant guess costs in cross-entropy (None where the labels are no classes) and in squared error."""
    import numpy as np

    flat = labels.reshape(len(labels), -1).astype(np.float64)
    levels, counts = np.unique(flat, return_counts=True)
    shares = counts / counts.sum()
    classes = flat.shape[1] == 1 and len(levels) <= FEW and bool((levels == np.round(levels)).all())
    return float(-(shares * np.log(shares)).sum()) if classes else None, float(flat.var(0).mean())


def ordered(labels: Array, order: str) -> Array:
    """The labels in another order."""
    import numpy as np

    if order == "reversed":
        return labels[::-1]
    return np.roll(labels, int(order.rsplit(" ", 1)[1]), axis=0)
