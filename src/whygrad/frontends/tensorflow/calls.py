"""What is kept of one recorded call, of the values between calls, and of events."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any
from weakref import ReferenceType

from whygrad.frontends.source import Trace
from whygrad.ir import Attribute, Role, Statistics


@dataclass(slots=True)
class Seen:
    """One value: a tensor, or a variable between two writes."""

    name: str
    dtype: str
    shape: tuple[int, ...] | None
    reference: "ReferenceType[Any] | None" = None
    held: Any = None
    """The tensor itself, where a replay needs it."""
    role: Role | None = None
    differentiable: bool = False
    carried: bool = False
    """An earlier step made it on its tape."""
    called: str = ""
    statistics: Statistics | None = None
    variable: int | None = None
    """Number of the variable whose value it is."""
    holder: "tuple[CodeType, str, int] | None" = None
    """The function, the variable and the line at which the array was met that it was made from."""

    def tensor(self) -> Any:
        """The tensor, if it still lives."""
        if self.held is not None:
            return self.held
        return self.reference() if self.reference is not None else None


@dataclass(slots=True)
class Group:
    """One run of a library function that many raw calls stand for."""

    number: int
    kind: str
    native: str
    attributes: dict[str, Attribute] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    """`target` and `input` to the names of the values that were given as such."""
    apart: bool = False
    """Activations inside of it stay ops of their own."""
    given: dict[str, Any] = field(default_factory=dict)
    """The same as objects."""
    trace: Trace | None = None
    """The place to name instead of the call's own, where that is known."""

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


@dataclass(slots=True)
class Layer:
    """The layer that a call ran in."""

    path: str
    made: Trace | None
    builtin: bool


@dataclass(slots=True)
class Call:
    """One raw call. Its inputs are held as long as the call is."""

    at: int
    name: str
    """TensorFlow's name for the op, or ours for what is none: `leave`, `enter`, `custom`, `gradient`."""
    inputs: tuple[str, ...]
    tensors: tuple[Any, ...]
    """The tensors behind `inputs`; None where the value is a variable's."""
    outputs: tuple[str, ...]
    attributes: tuple[Any, ...] = ()
    watched: tuple[bool, ...] = ()
    """For each input, whether some tape followed it."""
    tracking: bool = False
    trace: Trace | None = None
    scope: int | None = None
    group: Group | None = None
    layer: Layer | None = None
    failed: bool = False
    function: Callable[..., Any] | None = None
    """Runs the call again, where it is no single op."""
    settings: dict[str, Attribute] = field(default_factory=dict)
    kind: str = ""
    """The neutral kind, where the name alone does not tell."""


@dataclass(slots=True)
class Happened:
    """An event among the calls."""

    kind: str
    at: int
    targets: tuple[str, ...] = ()
    trace: Trace | None = None
    attributes: dict[str, Attribute] = field(default_factory=dict)
