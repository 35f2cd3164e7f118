"""What is put into parameters beside the updates: saved weights, whether a model took any of them, and initial values once more."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any
from weakref import ReferenceType, ref

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from whygrad.frontends.source import Trace
from whygrad.frontends.torch.distances import wide
from whygrad.frontends.torch.holding import held_in, named_in
from whygrad.frontends.torch.steps import Builder
from whygrad.ir import Loading, Redraw

DIGESTED = 64
"""Entries of a parameter that are compared: an update that leaves all of them as they were, in all parameters, is none."""
MOST_BEGINNINGS = 24
"""Beginnings of names that are tried on each side."""


@dataclass(slots=True)
class Loadings:
    """For each model the last saved weights of which it took none; later ones that fit make up for them."""

    seen: dict[int, tuple[Loading, Trace | None]] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    """Ids of parameters that were given saved values."""

    def add(self, module: nn.Module, name: str, given: Any, result: Any, trace: Trace | None) -> None:
        """`load_state_dict` has returned; what it calls missing and unexpected is what came of its hooks as well."""
        missing, unexpected = (set(getattr(result, part, ())) for part in ("missing_keys", "unexpected_keys"))
        own = dict(chain(named_in(module, remove_duplicate=False), module.named_buffers(remove_duplicate=False)))
        self.taken.update(id(tensor) for key, tensor in own.items() if key not in missing)
        self.seen.pop(id(module), None)
        tensors = {key: value for key, value in given.items() if isinstance(value, Tensor)} if isinstance(given, Mapping) else {}
        if own and tensors and unexpected.issuperset(given):
            strip, put, count = renaming(_shapes(tensors), _shapes(own))
            loading = Loading(name, len(tensors), len(own), next(iter(tensors)), next(iter(own)), strip, put, count)
            self.seen[id(module)] = (loading, trace)

    def records(self, builder: Builder) -> tuple[Loading, ...]:
        """As they stand in the record."""
        return tuple(replace(found, site=builder.site(trace)) for found, trace in self.seen.values())


@dataclass(slots=True)
class Redrawn:
    """What was initialised again at one place while one optimizer held it."""

    optimizer: str
    trace: Trace | None
    moments: list[int] = field(default_factory=list)
    """Updates that the optimizer had taken, each number once."""
    names: dict[str, None] = field(default_factory=dict)
    loaded: bool = False


@dataclass(slots=True)
class Redraws:
    """Initialisations of parameters that an optimizer has already updated."""

    places: dict[tuple[object, int], Redrawn] = field(default_factory=dict)

    def add(self, name: str, optimizer: str, key: int, taken: int, trace: Trace | None, *, loaded: bool = False) -> None:
        """A parameter was given initial values, after so many updates of the optimizer of this key; or a model those that it began with."""
        place = (trace.user if trace is not None else None, key)
        found = self.places.setdefault(place, Redrawn(optimizer, trace, loaded=loaded))
        found.names.setdefault(name)
        if found.moments[-1:] != [taken]:
            found.moments.append(taken)

    def records(self, builder: Builder) -> tuple[Redraw, ...]:
        """Those that happened more than once: a single one may begin another part of the training."""
        return tuple(
            Redraw(tuple(one.names), one.optimizer, len(one.moments), one.moments[0], one.moments[-1], builder.site(one.trace), one.loaded)
            for one in self.places.values()
            if len(one.moments) > 1
        )


@dataclass(slots=True)
class Beginnings:
    """What models held when they were saved or loaded before any update: a few entries of each parameter."""

    seen: dict[int, tuple[ReferenceType[nn.Module], set[int]]] = field(default_factory=dict)
    """By id, which another module may have once this one is gone."""

    def note(self, module: nn.Module) -> None:
        """The model has not been updated yet."""
        if id(module) not in self.seen or self.seen[id(module)][0]() is not module:
            self.seen[id(module)] = ref(module), set()
        self.seen[id(module)][1].add(_digest(module))

    def holds_again(self, module: nn.Module) -> bool:
        """It holds what it began with."""
        whose, digests = self.seen.get(id(module), (None, ()))
        return whose is not None and whose() is module and _digest(module) in digests


def _digest(module: nn.Module) -> int:
    """Of the first entries of each parameter; 0 for a model without any that can be looked at."""
    known = [p for p in held_in(module) if not is_lazy(p) and not p.is_meta and p.layout is torch.strided]
    parts = [wide(p.detach().flatten()[:DIGESTED]).cpu().numpy().tobytes() for p in known]
    return hash(tuple(parts)) if parts else 0


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: () if is_lazy(tensor) else tuple(tensor.shape) for name, tensor in tensors.items()}


def renaming(given: Mapping[str, tuple[int, ...]], own: Mapping[str, tuple[int, ...]]) -> tuple[str, str, int]:
    """The beginning that the names given have to lose, what they need in its place, and how many then fit: the shortest that fits most."""
    best = ("", "", 0)
    for strip in _beginnings(given):
        rest = {name.removeprefix(strip): shape for name, shape in given.items() if name.startswith(strip)}
        for put in _beginnings(own):
            count = sum(own.get(put + name) == shape for name, shape in rest.items())
            if count > best[2] or (count == best[2] > 0 and len(strip + put) < len(best[0] + best[1])):
                best = (strip, put, count)
    return best


def _beginnings(names: Iterable[str]) -> list[str]:
    """What names begin with, up to one of their dots, the shortest first."""
    found = {"": None}
    for name in names:
        parts = name.split(".")
        found.update(dict.fromkeys(".".join(parts[:at]) + "." for at in range(1, len(parts))))
    return sorted(found, key=len)[:MOST_BEGINNINGS]
