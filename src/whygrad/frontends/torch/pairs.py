"""Whether inputs and labels belong together: rows of the first batches, held in memory to be fitted, and batches compared with the items they are made of."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from whygrad.flow import StepIndex
from whygrad.frontends import fitting
from whygrad.frontends.collating import mispaired
from whygrad.frontends.fits import fitted
from whygrad.frontends.source import Trace
from whygrad.frontends.torch import _compat
from whygrad.frontends.torch.batches import Loaders, code_of, example_code
from whygrad.frontends.torch.steps import Builder
from whygrad.frontends.turned import ENOUGH, Counts, planes, turning_site
from whygrad.ir import Collation, Fit, Record, Step, Turning, family

Array = NDArray[Any]

WIDE = 4096
"""Entries of a row from which on it is averaged in blocks before it is kept: 512 rows take 8 MB at most."""
MOST_PICTURES = 3
"""Pictures of one batch that are compared with one another, and data sets that lie in one another."""
NUMBERS = frozenset(
    (torch.float16, torch.float32, torch.float64, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool)
)
REARRANGED = ("layout", "cast", "select")


@dataclass(slots=True)
class Rows:
    """The first rows of one data set, by path in the batch or by name of the value."""

    ordered: bool = False
    """They are in the order of the data set."""
    parts: dict[str, list[Array]] = field(default_factory=dict)
    count: int = 0
    batches: int = 0
    passes: int | None = None
    """Batches of one pass over the data; None where that is unknown."""

    def take(self, found: Mapping[str, Tensor]) -> None:
        """Keep one batch more, where all its elements have as many rows and are the same as before."""
        kept = {path: tensor for path, tensor in found.items() if usable(tensor)}
        lengths = {len(tensor) for tensor in kept.values()}
        if self.count >= fitting.ROWS or len(kept) < 2 or len(lengths) != 1 or (self.parts and set(self.parts) != set(kept)):  # noqa: PLR2004 - pairs
            return
        for path, tensor in kept.items():
            self.parts.setdefault(path, []).append(reduced(tensor[: fitting.ROWS - self.count]))
        self.count += min(lengths.pop(), fitting.ROWS - self.count)

    def table(self, path: str) -> Array:
        """All rows of one element; shorter ones are filled up with zeros."""
        parts = [part.reshape(len(part), -1) for part in self.parts[path]]
        width = max(part.shape[1] for part in parts)
        return np.concatenate([np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in parts])


class Pairs:
    """What is kept of the data while the program runs. Nothing of it enters the record."""

    def __init__(self, loaders: Loaders) -> None:
        self.loaders = loaders
        self.rows: dict[int, Rows] = {}
        """By identity of the loader's entry."""
        self.whole: Rows | None = None
        """Of the tensors that a recorded step picks its batch from."""
        self.found: list[tuple[Any, Trace, Collation]] = []
        self.turned: dict[tuple[int, str, str], Counts] = {}
        """By the loader's entry and two elements that are pictures."""
        self._codes: dict[int, tuple[Any, Any]] = {}
        """Each such entry, and what hands out its examples."""
        self._items: Any = None

    # --- batches and the items that they are made of ---------------------------------------------------------------

    def listen(self, iterator: Any) -> Callable[[], None] | None:
        """See the items that the user's collate function is given, until what is returned is called."""
        self._items = None
        fetcher = _compat.fetcher_of(iterator)
        collate = getattr(fetcher, "collate_fn", None)
        if collate is None or code_of(collate) is None:
            return None

        def listening(items: Any) -> Any:
            self._items = items
            return collate(items)

        fetcher.collate_fn = listening
        return lambda: setattr(fetcher, "collate_fn", collate)

    def collated(self, elements: list[tuple[str, Tensor]], iterator: Any) -> None:
        """Compare the batch with its items."""
        items, self._items = self._items, None
        code = code_of(getattr(_compat.fetcher_of(iterator), "collate_fn", None))
        if not isinstance(items, list) or code is None:
            return
        batch = {path: array for path, tensor in elements if (array := plain(tensor)) is not None}
        entry = self.loaders.of(iterator)
        where = Trace(((code, -2),), ())
        self.found += [(entry, where, item) for item in mispaired([parts_of(item) for item in items], batch)]

    # --- rows ------------------------------------------------------------------------------------------------------

    def take(self, elements: list[tuple[str, Tensor]], iterator: Any) -> None:
        """Keep the rows of a batch, while there are few."""
        entry = self.loaders.of(iterator)
        self._look_at_turns(elements, entry, iterator)
        rows = self.rows.get(id(entry))
        if rows is None:
            rows = self.rows[id(entry)] = Rows()
            held = getattr(getattr(iterator, "_dataset", None), "tensors", None)
            if isinstance(held, tuple) and all(isinstance(item, Tensor) for item in held):
                rows.ordered = True
                rows.take({f"[{at}]": tensor for at, tensor in enumerate(held)})
            rows.passes = entry.length
        # rows that come a second time would fit themselves
        if not rows.ordered and rows.batches != rows.passes:
            rows.batches += 1
            rows.take(dict(elements))

    def _look_at_turns(self, elements: list[tuple[str, Tensor]], entry: Any, iterator: Any) -> None:
        """How pictures of one size fit on one another, in the first batches."""
        pictures = [(path, tensor) for path, tensor in elements if tensor.dim() in (3, 4) and real(tensor)][:MOST_PICTURES]
        for at, (path, tensor) in enumerate(pictures):
            for other, second in pictures[at + 1 :]:
                counts = self.turned.setdefault((id(entry), path, other), Counts())
                if counts.rows < ENOUGH:
                    one, two = planes(tensor.detach().numpy()), planes(second.detach().numpy())
                    if one is not None and two is not None and one.shape == two.shape:
                        counts.add(one, two)
                        self._codes[id(entry)] = entry, example_code(getattr(iterator, "_dataset", None))

    def meet(self, step: Step, find: Callable[[str], tuple[int, Tensor] | None]) -> None:
        """Keep the first rows of the whole tensors that a recorded step picks its inputs and labels from."""
        if self.whole is not None or not step.labels.values:
            return
        index = StepIndex(step)
        labels = {index.origin(name, REARRANGED) for name in step.labels.values}
        inputs = {index.origin(name, REARRANGED) for name in entering(index)} - labels
        tensors = {name: known[1] for name in (*inputs, *labels) if (known := find(name)) is not None}
        lengths = {len(tensors[name]) for name in labels if name in tensors and tensors[name].dim()}
        if len(lengths) == 1 and (size := lengths.pop()) >= fitting.FEWEST:
            self.whole = Rows(ordered=True)
            self.whole.take({name: tensor for name, tensor in tensors.items() if tensor.dim() and len(tensor) == size})

    # --- the record ------------------------------------------------------------------------------------------------

    def collations(self, builder: Builder) -> tuple[Collation, ...]:
        """The neutral record of what was paired wrongly."""
        return tuple(
            replace(item, values=values(entry, item.path), others=values(entry, item.other), site=builder.site(where))
            for entry, where, item in self.found
        )

    def turnings(self, builder: Builder) -> tuple[Turning, ...]:
        """The neutral record of pictures that were compared."""
        found: list[Turning] = []
        for (key, path, other), counts in self.turned.items():
            entry, code = self._codes.get(key, (None, None))
            if entry is not None and counts.turned:
                site = turning_site(code, builder.sources) if code is not None else None
                told = counts.rows, counts.straight, counts.turned, counts.chance
                found.append(Turning(path, other, *told, values(entry, path), values(entry, other), site))
        return tuple(found)

    def fits(self, record: Record) -> tuple[Fit, ...]:
        """The fits, where the run failed to learn."""
        labels = {name for step in record.steps for name in labels_of(step)}
        tables = [(self.rows[id(e)], {p: values(e, p) for p in e.elements}) for e in self.loaders.loaders.values() if id(e) in self.rows]
        if self.whole is not None:
            tables.append((self.whole, {name: (name,) for name in self.whole.parts}))
        return tuple(fit for rows, names in tables for fit in fitted(rows, names, labels, record.courses))


def labels_of(step: Step) -> set[str]:
    """The step's labels and what they were picked and cast from."""
    index = StepIndex(step)
    return {other for name in step.labels.values for other in (name, index.origin(name, REARRANGED))}


def entering(index: StepIndex) -> Iterator[str]:
    """Data that meet parameters."""
    held = {parameter.value for parameter in index.step.parameters}
    for op in index.graph.ops:
        if not held.isdisjoint(op.inputs) and family(op.kind) != "loss":
            yield from (name for name in op.inputs if name not in held and name not in index.depends_on_parameters)


def values(entry: Any, path: str) -> tuple[str, ...]:
    """Names of an element's values in the recorded steps."""
    element = entry.elements.get(path)
    return tuple(element.values) if element is not None else ()


def parts_of(item: Any) -> dict[str, Array]:
    """The arrays and numbers of one item, by path."""
    pairs = item.items() if isinstance(item, Mapping) else enumerate(item) if isinstance(item, tuple | list) else [("", item)]
    return {repr(key): array for key, part in pairs if (array := plain(part)) is not None}


def plain(part: Any) -> Array | None:
    """A tensor, array, number or list of numbers as NumPy's; None for all else."""
    if isinstance(part, Tensor):
        return part.detach().numpy() if real(part) else None
    found = np.asarray(part) if isinstance(part, bool | int | float | list | np.ndarray | np.generic) and not _ragged(part) else None
    return found if found is not None and found.dtype.kind in "biuf" else None


def _ragged(part: Any) -> bool:
    """A list of anything but numbers, which NumPy may refuse."""
    return isinstance(part, list) and not all(isinstance(entry, bool | int | float) for entry in part)


def usable(tensor: Tensor) -> bool:
    """It has rows of numbers that can be fitted."""
    return real(tensor) and tensor.dim() > 0 and tensor.numel() > 0


def real(tensor: Tensor) -> bool:
    """Plain, dense, on the CPU, and of numbers that NumPy knows."""
    return type(tensor) is Tensor and tensor.device.type == "cpu" and tensor.layout is torch.strided and tensor.dtype in NUMBERS


def reduced(tensor: Tensor) -> Array:
    """A copy of some rows; wide ones are averaged in blocks."""
    flat = tensor.detach().reshape(len(tensor), -1)
    if flat.shape[1] > WIDE:
        flat = flat[:, : flat.shape[1] // fitting.WIDTH * fitting.WIDTH].reshape(len(flat), fitting.WIDTH, -1).float().mean(2)
    return flat.numpy().copy()
