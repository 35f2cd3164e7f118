"""Which tensor is which value: tensors by identity, variables by their handle and the writes to it."""

import gc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any
from weakref import ReferenceType, ref

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.arrays import dtype_name, statistics
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow.calls import Seen

COMPARED = 1_000_000
"""Entries up to which an array that comes again is compared with what it held before."""

NO_NUMBERS = ("resource", "variant", "string")
"""Dtypes of what holds no numbers."""


@dataclass(slots=True)
class Variable:
    """One `tf.Variable`."""

    number: int
    reference: "ReferenceType[Any]"
    made: source.Trace | None
    writes: int = 0

    @property
    def value(self) -> str:
        """Name of its present value."""
        return f"t{self.number}.{self.writes}" if self.writes else f"t{self.number}"


@dataclass(slots=True)
class _Entry:
    reference: "ReferenceType[Any]"
    name: str


class Values:
    """All values that were met and still count."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}
        self.variables: dict[int, Variable] = {}
        """Id of the handle to the variable."""
        self._entries: dict[int, _Entry] = {}
        self._arrays: dict[int, tuple[Any, str, str]] = {}
        self._numbers = count(1)

    # --- variables ----------------------------------------------------------------------------------------------

    def made(self, variable: Any, trace: source.Trace | None) -> bool:
        """A variable was made; False for another view of one that is known."""
        handle = getattr(variable, "_handle", None)
        known = self.variables.get(id(handle))
        new = handle is not None and (known is None or known.reference() is None)
        if new:
            self.variables[id(handle)] = Variable(next(self._numbers), ref(variable), trace)
            if len(self.variables) % 1024 == 0:
                self.variables = {key: item for key, item in self.variables.items() if item.reference() is not None}
        return new

    def variable(self, variable: Any) -> Variable | None:
        """The entry of a `tf.Variable`; a new one for those made before we watched."""
        handle = getattr(variable, "_handle", None)
        if handle is None:
            return None
        found = self.variables.get(id(handle))
        if found is None or found.reference() is None:
            found = self.variables[id(handle)] = Variable(next(self._numbers), ref(variable), None)
        return found

    def know_living(self) -> None:
        """Take in the variables that were made before the recorder came."""
        kinds: dict[type, bool] = {}  # TensorFlow's own answer to `isinstance` takes 2 µs, and there are half a million objects
        for item in gc.get_objects():
            kind = type(item)
            if kind not in kinds:
                kinds[kind] = issubclass(kind, _compat.Variable)
            if kinds[kind]:
                self.variable(item)

    def living(self) -> Iterator[tuple[Variable, Any]]:
        """Every variable that lives."""
        for entry in list(self.variables.values()):
            variable = entry.reference()
            if variable is not None:
                yield entry, variable

    def of_variable(self, entry: Variable) -> Seen:
        """The present value of a variable."""
        known = self.seen.get(entry.value)
        if known is None:
            variable = entry.reference()
            dtype, shape = (dtype_name(variable.dtype.name), _shape(variable)) if variable is not None else ("", None)
            known = self.seen[entry.value] = Seen(entry.value, dtype, shape, variable=entry.number)
        return known

    def read(self, handle: Any, tensor: Any) -> None:
        """A variable was read: the tensor is its value."""
        entry = self.variables.get(id(handle))
        if entry is not None:
            known = self.of_variable(entry)
            known.held = known.held if known.held is not None else tensor
            self._entries[id(tensor)] = _Entry(ref(tensor), known.name)

    def written(self, handle: Any) -> Variable | None:
        """A variable was written to."""
        entry = self.variables.get(id(handle))
        if entry is not None:
            entry.writes += 1
        return entry

    # --- tensors ------------------------------------------------------------------------------------------------

    def known(self, tensor: Any) -> str | None:
        """The name of a tensor that was met before."""
        entry = self._entries.get(id(tensor))
        return entry.name if entry is not None and entry.reference() is tensor and entry.name in self.seen else None

    def name(self, tensor: Any) -> str:
        """The name of a tensor, or of the variable behind a handle."""
        known = self.known(tensor)
        if known is not None:
            return known
        variable = self.variables.get(id(tensor))
        if variable is not None and getattr(variable.reference(), "_handle", None) is tensor:  # else an id of a dead variable's, used again
            return self.of_variable(variable).name
        name = f"t{next(self._numbers)}"
        self._entries[id(tensor)] = _Entry(ref(tensor), name)
        self.seen[name] = Seen(name, dtype_name(tensor.dtype.name), _shape(tensor), ref(tensor))
        return name

    def told(self, dtype: str, shape: tuple[int, ...] | None) -> str:
        """The name of what is no tensor: a list, or what a layer that has not run would give."""
        name = f"t{next(self._numbers)}"
        self.seen[name] = Seen(name, dtype, shape)
        return name

    def array(self, array: Any, tensor: Any) -> str:
        """An array became a tensor: the same value as last time, if it holds the same."""
        if not isinstance(array, np.ndarray):
            return self.name(tensor)
        before = self._arrays.get(id(array))
        dtype = tensor.dtype.name
        if before is not None and before[0]() is array and before[1] == dtype and before[2] in self.seen:
            seen = self.seen[before[2]]
            old = seen.tensor()
            if old is not None and array.size <= COMPARED and np.array_equal(old.numpy(), tensor.numpy()):
                self._entries[id(tensor)] = _Entry(ref(tensor), seen.name)
                seen.held, seen.reference = tensor, ref(tensor)
                return seen.name
        name = self.name(tensor)
        self._arrays[id(array)] = (ref(array), dtype, name)
        return name

    def of_object(self, item: Any) -> str | None:
        """The name of whatever the program holds: a tensor, a variable, an array that became a tensor."""
        if isinstance(item, np.ndarray):
            found = self._arrays.get(id(item))
            return found[2] if found is not None and found[0]() is item and found[2] in self.seen else None
        inner = getattr(item, "_value", None) if type(item).__module__.startswith("keras.") else None
        item = inner if inner is not None else item
        if hasattr(item, "_handle") and not hasattr(item, "_numpy"):
            entry = self.variable(item)
            return self.of_variable(entry).name if entry is not None else None
        return self.known(item) if hasattr(item, "_numpy") else None

    # --- figures and names --------------------------------------------------------------------------------------

    def measure(self, name: str, *, whole: bool = False, rows: bool = False, units: bool = False) -> None:
        """Gather the figures of a value, once."""
        seen = self.seen.get(name)
        if seen is None or seen.statistics is not None or seen.dtype in NO_NUMBERS:
            return
        tensor = seen.tensor()
        if tensor is None and seen.variable is not None:
            tensor = next((v for entry, v in self.living() if entry.value == name), None)
        try:
            seen.statistics = (
                statistics(tensor.numpy(), whole=whole, count_distinct=whole, rows=rows, units=units) if tensor is not None else None
            )
        except (AttributeError, TypeError, ValueError, NotImplementedError):
            return

    def carry(self, made: Iterable[str]) -> None:
        """A step is over: what its tapes followed is carried on where it lives, and followed no longer unless a tape does so again."""
        for name in made:
            self.seen[name].carried = self.seen[name].carried or self.seen[name].differentiable
            self.seen[name].differentiable = False

    def forget(self, kept: set[str]) -> None:
        """Forget all values but these; a step is over."""
        self.seen = {name: seen for name, seen in self.seen.items() if name in kept}
        for seen in self.seen.values():
            if seen.variable is not None:
                seen.held = None
        self._entries = {key: entry for key, entry in self._entries.items() if entry.name in self.seen and entry.reference() is not None}
        self._arrays = {key: item for key, item in self._arrays.items() if item[2] in self.seen and item[0]() is not None}


def _shape(item: Any) -> tuple[int, ...] | None:
    try:
        return tuple(int(size) for size in item.shape)
    except (TypeError, ValueError):
        return None
