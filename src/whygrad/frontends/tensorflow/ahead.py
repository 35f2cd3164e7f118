"""Batches that are looked at before their steps run: taken out of an iterator together, and handed on by another one."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np

from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.scopes import is_tensor

TOGETHER = 24
"""Batches taken at once at most: an iterator costs 4 ms of computing however many it holds, a small compiled step 2 ms."""
LARGEST = 32 * 2**20
"""Bytes of batches that are held at once."""


class Ahead:
    """Hands on what was taken out of an iterator, before the rest of it."""

    def __init__(self) -> None:
        self._of: Any = None
        self._again: Any = None
        self._left = 0

    def instead_of(self, iterator: Any) -> Any:
        """What a step that is given `iterator` is to run on."""
        if not self._left or self._of is not iterator:
            return iterator
        self._left -= 1
        return self._again

    def holds(self, iterator: Any) -> bool:
        """It gives what was looked at already."""
        return iterator is not None and iterator is self._again

    def look(self, iterator: Any, take_in: Callable[[list[Any]], None], *, many: bool) -> Any:
        """Have the next batches taken in, and return what the step is to run on; `many`: nothing notices that they are taken early."""
        taken = list(islice(iterator, 1))
        taken += islice(iterator, _more(taken[0]) if taken and many else 0)
        take_in(taken)
        if not taken:
            return iterator
        self._of, self._again, self._left = iterator, _compat.iterator_over(taken, iterator), len(taken) - 1
        return self._again


def _more(batch: Any) -> int:
    """How many more batches of this size may be held."""
    size = sum(
        item.dtype.size * int(np.prod(item.shape)) for item in tf.nest.flatten(batch) if is_tensor(item) and item.shape.is_fully_defined()
    )
    return min(TOGETHER, LARGEST // max(size, 1)) - 1 if size <= LARGEST else 0


def at_rest(inputs: Any) -> bool:
    """Inputs that lie in memory: taking batches of them early runs nothing of the program's. For a generator or a data set it would."""
    return all(isinstance(item, np.ndarray) or is_tensor(item) for item in tf.nest.flatten(inputs))
