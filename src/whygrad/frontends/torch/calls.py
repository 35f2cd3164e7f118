"""One recorded call, kept so that it can be read as an op and run again."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import ReferenceType, ref

import torch
from torch import Tensor

from whygrad.frontends.source import Trace
from whygrad.frontends.torch.lowering import Function
from whygrad.frontends.torch.statistics import Pending
from whygrad.ir import Attribute

CONTAINERS = (list, tuple, dict)
HANDED = "handed"
"""The setting of a call in which a leaf takes the numbers of a computed value."""
WRAP = "torch.nn.Parameter"
"""What makes a parameter of a computed value: a leaf, which knows nothing of what it was computed from."""
DEPTH = 4
"""How deep containers of arguments are searched for tensors."""


@dataclass(slots=True)
class Slot:
    """A tensor among the arguments: which object, which version of it, and the tensor itself where it is needed again."""

    number: int
    value: str
    reference: "ReferenceType[Tensor]"
    held: Tensor | None = None
    version: int = 0

    def tensor(self) -> Tensor | None:
        """The tensor, if it still lives or is held."""
        return self.held if self.held is not None else self.reference()


@dataclass(frozen=True, slots=True)
class Drawn:
    """A generator of the program's own among the arguments, in the state in which the call met it: the program's is never drawn from again."""

    device: torch.device
    state: Tensor

    def generator(self) -> torch.Generator:
        """Another generator in that state."""
        copy = torch.Generator(self.device)
        copy.set_state(self.state)
        return copy


@dataclass(slots=True)
class Seen:
    """What was seen of one value."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    differentiable: bool
    number: int
    pending: Pending | None = None
    role: str = ""
    carried: bool = False
    """Made in an earlier step, with a graph behind it that is gone from the record."""
    graphed: bool = False
    """It had a graph behind it when it was first seen, which no recorded call made."""


@dataclass(slots=True)
class Autocast:
    """The autocast that a call ran under: which block, on or off, to what dtype."""

    block: int
    state: tuple[str, bool, torch.dtype]


@dataclass(slots=True)
class Call:
    """One call of a function of PyTorch's."""

    at: int
    function: Callable[..., Any]
    info: Function
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    slots: tuple[Slot, ...]
    """Tensor arguments, in the order of the signature."""
    kind: str
    settings: dict[str, Attribute]
    trace: Trace | None
    tracking: bool
    region: int
    """Number of the last switch of gradient tracking: calls under one `no_grad` share it."""
    module: str = ""
    layer: Trace | None = None
    """Where the framework's own layer that it runs in was made."""
    scope: int | None = None
    full: bool = False
    """An output requires a gradient: the call is part of what is differentiated."""
    outputs: tuple[int, ...] = ()
    """Object numbers."""
    made: tuple[str, ...] = ()
    """Value names of the outputs."""
    places: tuple[tuple[int | str, ...], ...] = ()
    """Where in the result each output lies."""
    carries: tuple[bool, ...] = ()
    random: tuple[Tensor, ...] | None = None
    autocast: Autocast | None = None
    storages: tuple[int, ...] = ()
    """Storages written to."""
    unseen: tuple[Tensor, ...] = ()
    """While it runs: arguments that it changes without moving their version counters."""
    overwritten: Tensor | None = None
    """What an in-place call is about to write into, as it was."""
    failed: bool = False
    came_back: tuple[str, ...] = ()
    """Python values that an `enter` was made from."""


@dataclass(slots=True)
class Happened:
    """An event, at a place among the calls."""

    kind: str
    at: int
    targets: tuple[Any, ...] = ()
    trace: Trace | None = None
    attributes: dict[str, Attribute] = field(default_factory=dict)


def tensors_in(value: Any, depth: int = 0) -> Iterator[tuple[tuple[int | str, ...], Tensor]]:
    """The tensors in a value and its containers, with their paths."""
    if isinstance(value, Tensor):
        yield (), value
    elif depth < DEPTH and isinstance(value, CONTAINERS):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            if isinstance(item, Tensor):
                yield (key,), item
            elif isinstance(item, CONTAINERS):
                yield from (((key, *path), tensor) for path, tensor in tensors_in(item, depth + 1))


def at_path(value: Any, path: tuple[int | str, ...]) -> Any:
    """The item at a path given by `tensors_in`."""
    for key in path:
        value = value[key]
    return value


def replaced(value: Any, swap: Callable[[Any], Any], depth: int = 0) -> Any:
    """A copy of a value with `swap` applied to each leaf of its containers; containers of other classes are kept as they are."""
    if type(value) in (list, tuple) and depth < DEPTH:
        return type(value)(replaced(item, swap, depth + 1) for item in value)
    if type(value) is dict and depth < DEPTH:
        return {key: replaced(item, swap, depth + 1) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields") and depth < DEPTH:
        return type(value)(*(replaced(item, swap, depth + 1) for item in value))
    return swap(value)


def with_drawn(kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keyword arguments with the state of a generator of the program's own in its place."""
    generator = kwargs.get("generator")
    return {**kwargs, "generator": Drawn(generator.device, generator.get_state())} if isinstance(generator, torch.Generator) else kwargs


def slot_of(tensor: Tensor, number: int, value: str, version: int) -> Slot:
    """A slot that does not keep the tensor alive."""
    return Slot(number, value, ref(tensor), version=version)


def gone() -> "ReferenceType[Tensor]":
    """A reference to a tensor that no longer lives."""
    return ref(torch.empty(0))


def as_recorded(tensor: Tensor, recorded: Tensor | None) -> Tensor:
    """The tensor in the shape and dtype of what the call had made."""
    if recorded is None:
        return tensor
    if tensor.dtype != recorded.dtype and recorded.dtype.is_floating_point:
        tensor = tensor.to(recorded.dtype)
    return tensor.reshape(recorded.shape) if tensor.shape != recorded.shape and tensor.numel() == recorded.numel() else tensor
