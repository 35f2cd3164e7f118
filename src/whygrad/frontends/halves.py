"""Where a sequence is changed to see what looks ahead, and how a value is arranged by its positions; of shapes alone."""

from dataclasses import dataclass
from typing import Any, Self

FEWEST = 4
"""Positions that a sequence must have: shorter ones have no middle to speak of."""
CHANGED = 1e-4
"""Relative change from which a value has changed: rounding of float32 in another order of summation stays at 1e-6."""


@dataclass(frozen=True, slots=True)
class Halves:
    """Where a sequence is changed: from behind `middle` along `axis`, in the first `rows` of the other axis."""

    axis: int
    length: int
    batch: int

    @classmethod
    def of(cls, given: Any, axis: int) -> Self:
        """The halves of a sequence of shape (rows, positions) or (positions, rows), whatever comes behind."""
        return cls(axis, given.shape[axis], given.shape[1 - axis])

    @property
    def middle(self) -> int:
        """The last position that stays."""
        return self.length // 2

    @property
    def rows(self) -> int:
        """How many rows are changed."""
        return max(1, self.batch // 2)

    def folded(self, shape: tuple[int, ...]) -> tuple[int, int] | None:
        """The first two axes of a value whose positions and rows were flattened into one; None for another."""
        if not shape or shape[0] == self.batch or shape[0] not in (self.length * self.batch, (self.length - 1) * self.batch):
            return None
        length = shape[0] // self.batch
        return (length, self.batch) if self.axis == 0 else (self.batch, length)

    def places(self, shape: tuple[int, ...]) -> tuple[int, int] | None:
        """The axes of positions and rows in a value; None where it has not each exactly once."""
        batches = [at for at in (1 - self.axis, 0) if shape[at : at + 1] == (self.batch,)]
        if not batches:
            return None
        found = ([at for at, size in enumerate(shape) if size == length and at != batches[0]] for length in (self.length, self.length - 1))
        positions = next((each for each in found if each), [])
        return (positions[0], batches[0]) if len(positions) == 1 else None
