"""Switches of `flax.nnx` modules between training and evaluation mode."""

from collections import deque
from types import FrameType
from typing import Literal, Protocol

from whygrad.frontends import source
from whygrad.ir import Event, Site

Switch = Literal["train", "eval"]
MOST = 8
"""Switches that are remembered until a step is recorded."""


class Places(Protocol):
    """Makes places of traces."""

    def site(self, trace: source.Trace | None) -> Site | None:
        """The place in the source."""


class Modes:
    """The switches since the last recorded step."""

    def __init__(self) -> None:
        self._pending: deque[tuple[Switch, str, source.Trace | None]] = deque(maxlen=MOST)

    def switched(self, kind: Switch, module: object, frame: FrameType | None) -> None:
        """`train()` or `eval()` was called on a module by the program itself."""
        if frame is not None and source.is_user(frame.f_code):
            self._pending.append((kind, type(module).__name__, source.trace(frame)))

    @property
    def evaluating(self) -> bool:
        """The last switch was to evaluation mode."""
        return bool(self._pending) and self._pending[-1][0] == "eval"

    def events(self, places: Places) -> tuple[Event, ...]:
        """The switches as events, before all others of a step; they are told once."""
        found = tuple(Event(kind, 0, (), places.site(trace), {"class": name}) for kind, name, trace in self._pending)
        self._pending.clear()
        return found
