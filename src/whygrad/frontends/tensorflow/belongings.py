"""What a program's functions keep in Python (counters, lists, attributes), to be put back after our own run of them."""

import builtins
import dis
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whygrad.frontends import source
from whygrad.frontends.codes import parts_of
from whygrad.frontends.tensorflow._compat import tf

LARGEST = 100_000
"""Entries up to which a list or a dictionary is copied: longer ones hold data, and a copy of them would be felt."""
MISSING = object()
"""No such name was there."""
MOST = 5_000
"""Objects that are looked at: a model with hundreds of layers has fewer."""
PLAIN = (bool, int, float, complex, str, bytes, type(None), CodeType, FunctionType, ModuleType, type)

Held = tuple[Any, Any]
"""A container or an object's attributes, and what they were."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a file that a function of the program's reads or sets. The other names of the file are other code's: another thread may be feeding data by them."""

    names: dict[str, Any]
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class OfClass:
    """What all objects of a class of the program's share: a counter in its body."""

    owner: type
    name: str
    value: Any

    def put_back(self) -> None:
        """As it was. A name that is new stays: who reads it finds out by asking."""
        if vars(self.owner).get(self.name, MISSING) is not self.value:
            setattr(self.owner, self.name, self.value)


class Belongings:
    """The state of everything that can be reached from some objects of the program's."""

    def __init__(self, roots: Iterable[Any]) -> None:
        self._held: list[Held] = []
        self._names: list[Name] = []
        self._shared: list[OfClass] = []
        self._arrays: list[tuple[NDArray[Any], NDArray[Any]]] = []
        self._seen: set[int] = set()
        waiting = deque(roots)
        while waiting and len(self._seen) < MOST:
            thing = waiting.popleft()
            if isinstance(thing, Name):
                self._names.append(thing)
                thing = thing.value
            if isinstance(thing, FunctionType) and id(thing) not in self._seen:
                self._seen.add(id(thing))
                waiting.extend(of_function(thing))
            waiting.extend(self._of_classes(thing if isinstance(thing, type) else type(thing)))
            if not isinstance(thing, PLAIN) and id(thing) not in self._seen:
                self._seen.add(id(thing))
                waiting.extend(self._keep(thing))

    def _keep(self, thing: Any) -> Iterable[Any]:
        """Remember it; gives what it holds."""
        if isinstance(thing, np.ndarray):
            if thing.size <= LARGEST and thing.flags.writeable and not thing.dtype.hasobject:
                self._arrays.append((thing, thing.copy()))
            return ()
        thing = getattr(thing, "__wrapped__", thing) if isinstance(thing, dict) else thing  # TensorFlow's own is around Python's
        container = isinstance(thing, list | dict | set | deque)
        held = thing if container else vars(thing) if _own(thing) else None
        if held is None or len(held) > LARGEST:
            return ()
        self._held.append((held, _copy(held)))
        return (*(held.values() if isinstance(held, dict) else held), getattr(thing, "_storage", None) if container else None)

    def _of_classes(self, kind: type) -> Iterator[Any]:
        """Remember what the program's own classes hold beside functions; gives it."""
        for base in kind.__mro__ if id(kind) not in self._seen else ():
            for name, value in list(vars(base).items()) if id(base) not in self._seen and _written(base) else ():
                if not name.startswith("__") and not callable(value) and not hasattr(type(value), "__get__"):
                    self._shared.append(OfClass(base, name, value))
                    yield value
            self._seen.add(id(base))

    def put_back(self) -> None:
        """Everything as it was."""
        for array, numbers in self._arrays:
            if array.tobytes() != numbers.tobytes():
                array[...] = numbers
        for shared in self._shared:
            shared.put_back()
        for held, before in self._held:
            if not _same(held, before):
                _fill(held, before)
        for known in self._names:
            if known.value is MISSING:
                known.names.pop(known.name, None)
            elif known.names.get(known.name, MISSING) is not known.value:
                known.names[known.name] = known.value


def of_function(function: Any) -> Iterator[Any]:
    """What a function of the program's can change: its own object, its closure, and the names of its file."""
    bound = getattr(function, "__self__", None)
    if bound is not None:
        yield bound
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType) or not source.is_user(code):
        return
    for name in dict.fromkeys(_names(code)):
        yield Name(function.__globals__, name, function.__globals__.get(name, MISSING))
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue


def _names(code: CodeType) -> Iterator[str]:
    """Names of its file that a function sets, and those that it and the functions within it read."""
    for step in chain.from_iterable(map(dis.get_instructions, parts_of(code))):
        if (
            step.opname in ("LOAD_GLOBAL", "STORE_GLOBAL", "LOAD_NAME")
            and isinstance(step.argval, str)
            and not hasattr(builtins, step.argval)
        ):
            yield step.argval


def of_model(model: Any) -> Iterator[Any]:
    """What a step of a Keras model can change."""
    yield model
    for layer in model._flatten_layers():
        for name in ("call", "train_step", "compute_loss", "build"):
            if name in vars(type(layer)):
                yield from of_function(getattr(layer, name))
    yield from of_function(getattr(model, "loss", None))


def _own(thing: Any) -> bool:
    """A layer, a module, or an object of a class that the program wrote."""
    if not hasattr(thing, "__dict__"):
        return False
    return isinstance(thing, tf.Module) or any(_written(base) for base in type(thing).__mro__) or _keras(thing)


def _written(base: type) -> bool:
    return any(isinstance(item, FunctionType) and source.is_user(item.__code__) for item in vars(base).values())


def _keras(thing: Any) -> bool:
    """A layer, a metric, a loss, an optimizer."""
    return any(base.__name__ in ("KerasSaveable", "Loss") and base.__module__.startswith("keras.") for base in type(thing).__mro__)


def _copy(held: Any) -> Any:
    return dict(held) if isinstance(held, dict) else list(held)


def _same(held: Any, before: Any) -> bool:
    if isinstance(held, dict):
        return held.keys() == before.keys() and all(held[key] is value for key, value in before.items())
    return len(held) == len(before) and all(one is other for one, other in zip(held, before, strict=True))


def _fill(held: Any, before: Any) -> None:
    """As Python's own container: those of Keras and TensorFlow keep books of what is put in. A dictionary is never empty in between: another thread may look."""
    if isinstance(held, dict):
        for key in held.keys() - before.keys():
            dict.pop(held, key, None)
        dict.update(held, before)
    elif isinstance(held, list):
        list.__setitem__(held, slice(None), before)
    elif isinstance(held, set):
        set.clear(held)
        set.update(held, before)
    else:
        held.clear()
        held.extend(before)
