"""Calls of the user's functions in which ops ran, with the tensors that they were given."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from whygrad.frontends import source
from whygrad.frontends.tensorflow.values import Values

LEVELS = 3
"""The user's functions that are looked at for each op, from the deepest outwards."""
ITEMS = 16
"""Items of a container argument that are looked at."""


@dataclass(slots=True)
class Activation:
    """One call of a function of the user's."""

    function: str
    code: CodeType
    arguments: dict[str, str]
    caller: source.Trace | None
    unread: tuple[str, ...]
    parent: int | None


class Scopes:
    """The functions of the present step."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.all: list[Activation] = []
        self._frames: dict[int, tuple[FrameType, int]] = {}

    def clear(self) -> None:
        """A new step begins."""
        self.all, self._frames = [], {}

    def scope(self, frames: Sequence[FrameType]) -> int | None:
        """The number of the deepest of the running user functions; None at the top level of a file."""
        functions = [frame for frame in frames if frame.f_code.co_name != "<module>"][:LEVELS]
        parent: int | None = None
        for frame in reversed(functions):
            parent = self._one(frame, parent)
        return parent

    def _one(self, frame: FrameType, parent: int | None) -> int:
        held = self._frames.get(id(frame))
        if held is not None and held[0] is frame:
            self.all[held[1]].arguments |= self._missing(frame, self.all[held[1]].arguments)
            return held[1]
        code = frame.f_code
        arguments = dict(self._tensors(frame))
        self.all.append(Activation(code.co_name, code, arguments, source.trace(frame.f_back), source.unread_parameters(code), parent))
        self._frames[id(frame)] = (frame, len(self.all) - 1)
        return len(self.all) - 1

    def _missing(self, frame: FrameType, known: dict[str, str]) -> dict[str, str]:
        """Arguments that became tensors since."""
        expected = source.parameters_of(frame.f_code)
        if all(name in known for name in expected):
            return {}
        return {name: value for name, value in self._tensors(frame) if name not in known}

    def _tensors(self, frame: FrameType) -> Iterator[tuple[str, str]]:
        held = frame.f_locals
        for name in source.parameters_of(frame.f_code):
            yield from self._one_argument(name, held.get(name))

    def _one_argument(self, name: str, item: Any) -> Iterator[tuple[str, str]]:
        if isinstance(item, list | tuple) and len(item) <= ITEMS:
            parts = [(f"{name}[{at}]", part) for at, part in enumerate(item)]
        elif isinstance(item, dict) and len(item) <= ITEMS:
            parts = [(f"{name}[{key!r}]", part) for key, part in item.items()]
        else:
            parts = [(name, item)]
        for full, part in parts:
            value = self.values.name(part) if is_tensor(part) else self.values.of_object(part) if _is_array(part) else None
            if value is not None:
                yield full, value


def is_tensor(item: Any) -> bool:
    """Whether something is an eager tensor."""
    return hasattr(item, "_numpy") and hasattr(item, "numpy")


def _is_array(item: Any) -> bool:
    return type(item).__module__ == "numpy" and hasattr(item, "shape")
