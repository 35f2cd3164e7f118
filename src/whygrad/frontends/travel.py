"""Values that leave the framework, and what comes back of them."""

import math
from collections import OrderedDict
from typing import Any
from weakref import ReferenceType, ref

import numpy as np

REMEMBERED = 512
"""How many departures are remembered; a step has few."""
COMPARED = 100_000
"""Entries up to which a returning array is compared by its values."""


class Travel:
    """Remembers what left, and recognises it: the same object, shared memory, equal values."""

    def __init__(self) -> None:
        self._arrays: OrderedDict[str, ReferenceType[Any]] = OrderedDict()
        self._copies: OrderedDict[str, np.ndarray[Any, Any]] = OrderedDict()
        self._numbers: OrderedDict[str, tuple[float, ...]] = OrderedDict()

    @property
    def empty(self) -> bool:
        """Nothing has left in this step."""
        return not (self._arrays or self._copies or self._numbers)

    def left(self, name: str, result: object) -> None:
        """Note what a departure handed out, under the name of its value."""
        if isinstance(result, np.ndarray):
            _remember(self._arrays, name, ref(result))
            if result.size <= COMPARED and result.dtype.kind == "f":
                _remember(self._copies, name, result.copy())
        elif isinstance(result, float):
            _remember(self._numbers, name, (result,))
        elif isinstance(result, list):
            _remember(self._numbers, name, tuple(_floats(result)))

    def came_back(self, data: object) -> tuple[str, ...]:
        """Names of the departed values that `data` was made from, as far as can be told."""
        if isinstance(data, np.ndarray):
            return self._array(data)
        numbers = tuple(_floats(data)) if isinstance(data, list | tuple | float) else ()
        telling = {number for number in numbers if not _common(number)}
        return tuple(name for name, known in self._numbers.items() if telling and telling.intersection(known)) or self._values(numbers)

    def _array(self, data: "np.ndarray[Any, Any]") -> tuple[str, ...]:
        for name, reference in self._arrays.items():
            known = reference()
            if known is not None and (known is data or np.may_share_memory(known, data)):
                return (name,)
        return self._values(data) or (self.came_back(data.item()) if data.size == 1 and data.dtype.kind == "f" else ())

    def _values(self, data: Any) -> tuple[str, ...]:
        array = np.asarray(data)
        if array.dtype.kind != "f" or array.size <= 1:
            return ()
        return tuple(
            name for name, known in self._copies.items() if known.shape == array.shape and np.array_equal(known, array, equal_nan=True)
        )[-1:]

    def forget(self) -> None:
        """Forget everything; a step is over."""
        self._arrays.clear()
        self._copies.clear()
        self._numbers.clear()


def _remember(table: OrderedDict[str, Any], name: str, value: Any) -> None:
    table[name] = value
    if len(table) > REMEMBERED:
        table.popitem(last=False)


def _floats(data: object) -> list[float]:
    if isinstance(data, float):
        return [data]
    if isinstance(data, list | tuple) and len(data) <= REMEMBERED:
        return [number for item in data for number in _floats(item)]
    return []


def _common(number: float) -> bool:
    """Numbers that two computations share by chance: whole ones, halves and the like, infinities."""
    return not math.isfinite(number) or (number * 1000).is_integer()
