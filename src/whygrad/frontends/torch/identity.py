"""Numbers for tensors and storages, which may die and whose addresses are then used again."""

from dataclasses import dataclass
from typing import Any
from weakref import ReferenceType, ref

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from whygrad.frontends.torch._compat import is_wrapped, storage_of

PURGE_AT = 20_000
"""Table size at which dead entries are dropped: below a few megabytes, and rarely enough to cost nothing."""


@dataclass(slots=True)
class Known:
    """What is known of one tensor object."""

    reference: "ReferenceType[Tensor]"
    number: int
    version: int
    """The tensor's version counter when last seen."""
    writes: int = 0
    """How many changes in place were seen."""

    @property
    def name(self) -> str:
        """The name of its present value in the record."""
        return f"t{self.number}" if not self.writes else f"t{self.number}.{self.writes}"


def version_of(tensor: Tensor) -> int:
    """The version counter; inference tensors have none, and a lazy module's parameters have no data before its first call."""
    return -1 if is_lazy(tensor) or tensor.is_inference() else tensor._version


def mark_of(tensor: Tensor) -> tuple[int, int, str]:
    """What tells that a tensor was written to: its version, its memory and, where reading it waits for no device, its first number. What is written by way of `.data` keeps the version."""
    plain = type(tensor) in (Tensor, torch.nn.Parameter) and tensor.layout is torch.strided and not is_wrapped(tensor)
    if not plain or tensor.device.type != "cpu" or not tensor.numel():
        return version_of(tensor), 0, ""
    return version_of(tensor), tensor.data_ptr(), str(tensor.detach().as_strided((), ()).item())


def address_of(tensor: Tensor) -> int:
    """Where the memory of a tensor begins; 0 where it has none of its own."""
    storage = storage_of(tensor)
    return int(storage.data_ptr()) if storage is not None else 0


class Identity:
    """Tells whether a tensor is one that was seen before."""

    def __init__(self) -> None:
        self._tensors: dict[int, Known] = {}
        self._storages: dict[int, tuple[ReferenceType[Any], int]] = {}
        self._next = 0
        self._purge_at = PURGE_AT

    def known(self, tensor: Tensor) -> Known | None:
        """The entry of a tensor seen before, or None."""
        entry = self._tensors.get(id(tensor))
        return entry if entry is not None and entry.reference() is tensor else None

    def meet(self, tensor: Tensor) -> Known:
        """The entry of a tensor, made if it is new."""
        entry = self._tensors.get(id(tensor))
        if entry is None or entry.reference() is not tensor:
            entry = self._tensors[id(tensor)] = Known(ref(tensor), self._number(), version_of(tensor))
            if len(self._tensors) > self._purge_at:
                self._purge()
        return entry

    def storage(self, tensor: Tensor) -> int | None:
        """A number for the memory that a tensor lives in; None where it has none."""
        found = storage_of(tensor)
        if found is None:
            return None
        held = self._storages.get(found._cdata)
        if held is not None and held[0]() is found:
            return held[1]
        number = self._number()
        self._storages[found._cdata] = (ref(found), number)
        return number

    def alive(self) -> dict[int, Tensor]:
        """Number to tensor, for all that live."""
        return {entry.number: tensor for entry in self._tensors.values() if (tensor := entry.reference()) is not None}

    def _number(self) -> int:
        self._next += 1
        return self._next

    def _purge(self) -> None:
        self._tensors = {key: entry for key, entry in self._tensors.items() if entry.reference() is not None}
        self._storages = {key: held for key, held in self._storages.items() if held[0]() is not None}
        self._purge_at = max(PURGE_AT, 2 * len(self._tensors))


def before_write(found: list[Tensor]) -> Tensor | None:
    """A copy of a tensor without a graph, into which something with a graph is about to be written: a replay begins from it."""
    if found and not found[0].requires_grad and torch.is_grad_enabled() and any(tensor.requires_grad for tensor in found[1:]):
        return found[0].detach().clone()
    return None
