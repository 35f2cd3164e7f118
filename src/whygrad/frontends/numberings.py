"""Whether the numbers of labels mean anything: fits of the labels as they are numbered, against fits of the same labels numbered otherwise."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from whygrad.frontends import fitting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
else:
    Array = Any

FEWEST = 4
"""Different numbers: of three there are three numberings, and the given one is the best of them by chance too often."""
TRIED = 60
"""Other numberings that are fitted."""


def numbered(inputs: Sequence[Array], labels: Array) -> tuple[float, float] | None:
    """The share of other numberings that are fitted better, and the share of rows whose number a fit of one column each names; None for other labels than 0, 1, 2, … as floating numbers."""
    import numpy as np

    flat = labels.reshape(len(labels), -1)
    levels = np.unique(flat)
    few = flat.shape[1] == 1 and FEWEST <= len(levels) <= fitting.FEW
    if flat.dtype.kind != "f" or not few or not np.array_equal(levels, np.arange(len(levels))):
        return None
    try:
        with np.errstate(all="ignore"):
            return _compared(fitting.features(inputs), np.searchsorted(levels, flat[:, 0]), len(levels))
    except np.linalg.LinAlgError:
        return None


def _compared(table: Array, places: Array, count: int) -> tuple[float, float] | None:
    import numpy as np

    if not table.size:
        return None
    generator, given = np.random.default_rng(0), np.arange(count)
    others = [order for order in (generator.permutation(count) for _ in range(TRIED)) if not _same(order, given)]
    numbers = np.stack([order[places] for order in (given, *others)], axis=1).astype(np.float64)
    numbers = (numbers - numbers.mean(0)) / numbers.std(0)
    each = (places[:, None] == given).astype(np.float64)
    each -= each.mean(0)
    hats = list(fitting.hats(table))
    lost = np.min([np.square(hat @ numbers).mean(0) for hat in hats], axis=0)
    told = max(float(((each - hat @ each).argmax(1) == places).mean()) for hat in hats)
    return float((lost[1:] < lost[0]).mean()), told


def _same(order: Array, given: Array) -> bool:
    """The given numbering, or the same from the other end."""
    return bool((order == given).all() or (order == given[::-1]).all())
