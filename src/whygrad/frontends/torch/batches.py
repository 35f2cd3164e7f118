"""What data loaders hand out, element by element."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from whygrad.frontends.torch.calls import tensors_in
from whygrad.ir import Batches as Record

LOOKED_AT = 64
"""Batches whose values are looked at: enough to tell sorted from shuffled data, and a bounded cost."""
DIGESTED = 1_000_000
"""Entries up to which a batch element is digested to see whether it comes again."""


@dataclass(slots=True)
class Element:
    """One element of the batches, over the run."""

    seen: int = 0
    low: float = math.inf
    high: float = -math.inf
    constant: int = 0
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
        if tensor.numel() <= DIGESTED and tensor.dtype != torch.bfloat16:
            self.digests.add(hash(tensor.detach().contiguous().numpy().tobytes()))
        else:
            self.undigested += 1


class Loaders:
    """All data loaders together."""

    def __init__(self) -> None:
        self.elements: dict[str, Element] = {}

    def look(self, batch: Any) -> list[tuple[str, Tensor]]:
        """Take a batch in; returns its elements by path."""
        found = list(elements_of(batch))
        for path, tensor in found:
            self.elements.setdefault(path, Element()).look(tensor)
        return found

    def note(self, path: str, value: str) -> None:
        """An element took part in a recorded step, as this value."""
        values = self.elements.setdefault(path, Element()).values
        if value not in values:
            values.append(value)

    def records(self) -> tuple[Record, ...]:
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
            )
            for path, element in self.elements.items()
        )


def elements_of(batch: Any) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a batch, with the path that a user would write."""
    found = dict(batch) if hasattr(batch, "keys") and not isinstance(batch, dict) else batch
    for path, tensor in tensors_in(found):
        yield "".join(f"[{key!r}]" for key in path), tensor
