"""Data sets that the program's own loop iterates over: whether it begins anew at each step and takes the first batch alone. Every method is guarded."""

import sys
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from whygrad.frontends import source
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow.batches import LOOKED_AT, Element, elements_of, record_of
from whygrad.frontends.tensorflow.guard import guarded
from whygrad.frontends.tensorflow.running import place_of
from whygrad.ir import Batches as Record

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.building import Builder
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder

ANEW = 5
"""Iterators begun at one line from which on that is a habit."""


@dataclass(slots=True)
class Begun:
    """The iterators that one line of the program's has begun."""

    trace: source.Trace
    length: int | None
    count: int = 0
    goes_on: bool = False
    """One of them handed out a second batch."""
    elements: dict[str, Element] = field(default_factory=dict)
    last: "ReferenceType[Any] | None" = None
    taken: bool = False


class Iterators:
    """Looks at the first batch of the first iterators that a line begins."""

    def __init__(self, recorder: "TensorFlowRecorder") -> None:
        self.recorder = recorder
        self._begun: dict[tuple[str, int], Begun] = {}
        self._waiting: dict[int, Begun] = {}
        """By the id of the last iterator of each line."""
        self._looped: dict[int, tuple[tuple[str, int], ReferenceType[Any]]] = {}
        """By the id of each iterator of the program's own, until enough of its line's batches are kept for a fit."""

    @guarded
    def began(self, data: Any, iterator: Any) -> None:
        """`iter(data)` by the program itself."""
        frame: FrameType = sys._getframe(3)  # behind the guard and the patched method
        if not _compat.eager() or not source.is_user(frame.f_code):
            return
        trace = source.trace(frame)
        if trace is None:
            return
        place = place_of(trace)
        if place not in self._begun:
            with self.recorder.aside():
                self._begun[place] = Begun(trace, _compat.finite_length(data))
        self._looped[id(iterator)] = (place, ref(iterator))
        begun = self._begun[place]
        begun.count += 1
        if not begun.goes_on and begun.count <= LOOKED_AT:
            self._waiting = {key: item for key, item in self._waiting.items() if item is not begun}
            self._waiting[id(iterator)] = begun
            begun.last, begun.taken = ref(iterator), False

    @guarded
    def handed_out(self, iterator: Any, data: Any) -> None:
        """A batch of any iterator."""
        self._keep(iterator, data)
        begun = self._waiting.get(id(iterator))
        if begun is None or begun.last is None or begun.last() is not iterator:
            return
        begun.goes_on |= begun.taken
        if begun.taken:
            del self._waiting[id(iterator)]
            return
        begun.taken = True
        with self.recorder.aside():
            for path, tensor in elements_of(data):
                element = begun.elements.setdefault(path, Element())
                element.look(tensor)
                name = self.recorder.ledger.values.known(tensor)
                element.values += [name] if name is not None and name not in element.values else []

    def _keep(self, iterator: Any, data: Any) -> None:
        """The first rows of what a loop takes out of a data set."""
        looped, pairs = self._looped.get(id(iterator)), self.recorder.training.pairs
        if looped is None or looped[1]() is not iterator:
            return
        if not pairs.wants(looped[0]):
            del self._looped[id(iterator)]
            return
        with self.recorder.aside():
            pairs.handed(looped[0], [tensor for _, tensor in elements_of(data)], self.recorder.ledger.values.known)

    def records(self, builder: "Builder") -> tuple[Record, ...]:
        """The neutral record of what was begun anew again and again, and never went on."""
        again = [begun for begun in self._begun.values() if begun.count >= ANEW and not begun.goes_on]
        return tuple(
            record_of(path, element, builder.site(begun.trace), begun.length)
            for begun in again
            for path, element in begun.elements.items()
            if element.seen
        )
