"""What data loaders hand out, element by element."""

import math
from collections.abc import Iterator, Sized
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import RandomSampler, WeightedRandomSampler

from whygrad.frontends.source import Trace, is_user
from whygrad.frontends.torch.calls import tensors_in
from whygrad.frontends.torch.steps import Builder
from whygrad.ir import Batches as Record

LOOKED_AT = 64
"""Batches whose values are looked at: enough to tell sorted from shuffled data, and a bounded cost."""
MOST_LOADERS = 64
"""Loaders that are told apart."""
FOLLOWED = 256
"""Rows up to which the first batch of a loader is recorded item by item, which tells where its labels were made: a quarter of a second at most."""
NESTED = 3
"""Data sets that lie in one another."""
DIGESTED = 1_000_000
"""Entries up to which a batch element is digested to see whether it comes again."""


@dataclass(slots=True)
class Element:
    """One element of the batches, over the run."""

    seen: int = 0
    low: float = math.inf
    high: float = -math.inf
    constant: int = 0
    levels: set[float] = field(default_factory=set)
    digests: set[int] = field(default_factory=set)
    undigested: int = 0
    values: list[str] = field(default_factory=list)

    def look(self, tensor: Tensor) -> None:
        """Take one batch in."""
        self.seen += 1
        if (
            self.seen > LOOKED_AT
            or tensor.device.type != "cpu"
            or tensor.layout is not torch.strided
            or not tensor.numel()
            or tensor.is_complex()
        ):
            self.undigested += 1
            return
        low, high = (float(item) for item in tensor.detach().aminmax())
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.constant += low == high
        self.levels.update((low,) if low == high else ())
        if tensor.numel() <= DIGESTED and tensor.dtype != torch.bfloat16:
            self.digests.add(hash(tensor.detach().contiguous().numpy().tobytes()))
        else:
            self.undigested += 1


@dataclass(slots=True)
class Loader:
    """One data loader, known by its data set: an iterator does not tell which loader made it."""

    made: Trace | None = None
    order: Trace | None = None
    """The end of the iteration of a sampler of the user's own."""
    length: int | None = None
    drawn: bool = False
    drawable: tuple[int, int] | None = None
    rows: Trace | None = None
    followed: bool = False
    """Its first batch was recorded item by item."""
    elements: dict[str, Element] = field(default_factory=dict)


class Loaders:
    """All data loaders together."""

    def __init__(self) -> None:
        self.loaders: dict[int, Loader] = {}

    def of(self, owner: Any) -> Loader:
        """The entry of a loader or of its iterator; many loaders share the last one, so that the table stays small."""
        data = getattr(owner, "dataset", None)
        key = id(getattr(owner, "_dataset", None) if data is None else data)
        if key not in self.loaders and len(self.loaders) >= MOST_LOADERS:
            key = 0
        return self.loaders.setdefault(key, Loader())

    def made(self, loader: Any, trace: Trace | None) -> None:
        """A loader was made here."""
        entry = self.of(loader)
        entry.made, entry.order, entry.drawn, entry.drawable = trace, order_of(loader), draws_order(loader), drawable(loader)
        entry.rows = rows_of(loader)

    def is_first(self, iterator: Any) -> bool:
        """Whether this is the loader's first batch in a recorded step, and small enough to be followed item by item."""
        loader = self.of(iterator)
        rows = getattr(getattr(iterator, "_index_sampler", None), "batch_size", 1)
        first = not loader.followed and isinstance(rows, int) and rows <= FOLLOWED
        loader.followed = True
        return first

    def look(self, batch: Any, iterator: Any) -> list[tuple[str, Tensor]]:
        """Take a batch in; returns its elements by path."""
        loader = self.of(iterator)
        found = list(elements_of(batch))
        for path, tensor in found:
            element = loader.elements.setdefault(path, Element())
            if not element.seen:
                loader.length = length_of(iterator)
            element.look(tensor)
        return found

    def note(self, path: str, value: str, iterator: Any) -> None:
        """An element took part in a recorded step, as this value."""
        values = self.of(iterator).elements.setdefault(path, Element()).values
        if value not in values:
            values.append(value)

    def records(self, builder: Builder) -> tuple[Record, ...]:
        """The neutral record of each element."""
        return tuple(
            Record(
                path or "batch",
                min(element.seen, LOOKED_AT),
                element.low if element.high >= element.low else None,
                element.high if element.high >= element.low else None,
                element.constant,
                None if element.undigested and element.seen <= LOOKED_AT else len(element.digests) or None,
                tuple(element.values),
                loader.length,
                builder.site(loader.made),
                builder.site(loader.order),
                len(element.levels),
                loader.drawn,
                loader.drawable,
                builder.site(loader.rows),
            )
            for loader in self.loaders.values()
            for path, element in loader.elements.items()
        )


def order_of(loader: Any) -> Trace | None:
    """Where the loader's sampler returns its order, if the user wrote it."""
    for sampler in (getattr(loader, "batch_sampler", None), getattr(loader, "sampler", None)):
        code = getattr(getattr(type(sampler), "__iter__", None), "__code__", None)
        if code is not None and is_user(code):
            return Trace(((code, len(code.co_code) - 2),), ())
    return None


def draws_order(loader: Any) -> bool:
    """It shuffles by PyTorch's own random numbers, so that no other loader has the same order."""
    sampler = getattr(loader, "sampler", None)
    return type(sampler) is RandomSampler and sampler.generator is None and getattr(loader, "generator", None) is None


def drawable(loader: Any) -> tuple[int, int] | None:
    """Weights of the loader's sampler and rows of its data set, where each pass draws as many rows as there are, and only the first few have a weight."""
    sampler, data = getattr(loader, "sampler", None), getattr(loader, "dataset", None)
    if type(sampler) is not WeightedRandomSampler or not isinstance(data, Sized):
        return None
    weights, rows = len(sampler.weights), len(data)
    # timid: a store that is filled bit by bit has weights for what it holds, and is asked for fewer rows
    return (weights, rows) if weights < rows <= sampler.num_samples else None


def example_code(dataset: Any) -> Any:
    """The code that hands out one example, if the user wrote it; of a part of a data set, that of the whole."""
    for _ in range(NESTED):
        dataset = getattr(dataset, "dataset", None) or next(iter(getattr(dataset, "datasets", None) or ()), None) or dataset
    code = getattr(getattr(type(dataset), "__getitem__", None), "__code__", None)
    return code if code is not None and is_user(code) else None


def code_of(collate: Any) -> Any:
    """The code of a collate function, if the user wrote it."""
    function = getattr(collate, "func", collate)
    code = getattr(function, "__code__", None) or getattr(vars(type(function)).get("__call__"), "__code__", None)
    return code if code is not None and is_user(code) else None


def rows_of(loader: Any) -> Trace | None:
    """The user's function that makes a batch of the items, perhaps within a library's own; else the user's that hands out an item."""
    collate = getattr(loader, "collate_fn", None)
    code = code_of(getattr(collate, "data_collator", collate)) or example_code(getattr(loader, "dataset", None))
    return Trace(((code, -2),), ()) if code is not None else None


def length_of(iterator: Any) -> int | None:
    """Batches of one pass; None for a stream."""
    try:
        return len(iterator)
    except TypeError:
        return None


def elements_of(batch: Any) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a batch, with the path that a user would write."""
    found = dict(batch) if hasattr(batch, "keys") and not isinstance(batch, dict) else batch
    for path, tensor in tensors_in(found):
        yield "".join(f"[{key!r}]" for key in path), tensor
