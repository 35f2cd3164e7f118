"""Where the parameters went over a run: kept in files at a few moments for `whygrad fix`, and the loss of a recorded step by what was kept.

So a program and its patched copy are compared like with like: one loss, on one batch, by the parameters that each of them had after as many steps.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whygrad.frontends.arrays import numbers
from whygrad.ir import Follow, Trial

LARGEST = 50_000_000
"""Entries of all parameters together up to which they are kept: 200 MB for each moment in float32, and there are about ten."""
FIRST = 2
"""Losses that must have been seen: before the first update all parameters are as they began."""

Array = NDArray[Any]
Parameters = Callable[[], Mapping[str, Any]]


class Trajectory:
    """Keeps the parameters when the second, fourth, eighth, … loss is seen, and at the end of the run; nothing where no folder is named."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder) if folder else None
        self.seen = 0

    def loss_seen(self, parameters: Parameters, number: int | None = None) -> None:
        """Another loss is differentiated with these parameters; `number`: which one of the run, where that is known otherwise."""
        self.seen = self.seen + 1 if number is None else number
        if self.seen >= FIRST and self.seen & (self.seen - 1) == 0:
            self._keep(parameters, self.seen)

    def ended(self, parameters: Parameters, *, updated: bool = True) -> None:
        """The run is over: these are the parameters with which the next loss would have been seen, or, without the last update, the last one was."""
        if self.seen:
            self._keep(parameters, self.seen + updated)

    def _keep(self, parameters: Parameters, moment: int) -> None:
        if self.folder is None:
            return
        found = {name: array for name, value in parameters().items() if (array := numbers(value)) is not None}
        if found and sum(array.size for array in found.values()) <= LARGEST:
            with suppress(OSError):  # a full disk: the comparison will say that there is nothing to compare
                write(self.folder / f"{moment:012d}.npz", found)


def write(path: Path, parameters: Mapping[str, Array]) -> None:
    """One moment, as a file."""
    names = list(parameters)
    arrays = {str(at): parameters[name] for at, name in enumerate(names)}
    np.savez(path, names=np.array(names, dtype=np.str_), **arrays)  # type: ignore[arg-type]  # NumPy's stub takes the arrays for its flag


def kept(folder: Path) -> Iterator[tuple[int, dict[str, Array]]]:
    """The moments in order: how many losses had been seen, and the parameters by name."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            yield int(path.stem), {str(name): file[str(at)] for at, name in enumerate(file["names"])}


def followed(follow: Follow, shapes: Mapping[str, tuple[int, ...]], loss_with: Callable[[Mapping[str, Array]], float]) -> Trial:
    """The step's loss by the parameters of each moment. What was not kept, or has another shape, stays as the step found it."""
    start = loss_with({})
    figures: dict[str, float] = {}
    for moment, parameters in kept(Path(follow.folder)):
        given = fitting(parameters, shapes)
        if given:
            figures[str(moment)] = loss_with(given)
    return Trial(follow, loss=start, losses=(start, *figures.values()), figures=figures)


def fitting(kept: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """What was kept of the step's parameters: by their names, or, where none is known, by those without the model's, which they have where another model was seen as well."""
    same = {name: array for name, array in kept.items() if array.shape == shapes.get(name)}
    if same or not set(kept).isdisjoint(shapes):
        return same
    inner = {name: [array for other, array in kept.items() if other.partition(".")[2] == name] for name in shapes}
    found = {name: arrays[0] for name, arrays in inner.items() if len(arrays) == 1 and arrays[0].shape == shapes[name]}
    return found if len(found) == len(shapes) else {}
