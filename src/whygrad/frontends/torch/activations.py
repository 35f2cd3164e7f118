"""Calls of the user's functions in which ops run, with the tensors that they were given."""

from collections.abc import Iterator
from types import FrameType
from typing import Any

from torch import Tensor, nn

from whygrad.frontends import source
from whygrad.frontends.torch.ledger import Ledger
from whygrad.frontends.torch.steps import Activation
from whygrad.ir import Site

LEVELS = 3
"""The user's functions that are looked at for each op, from the deepest outwards."""
ITEMS = 16
"""Items of a container argument that are looked at."""


class Activations:
    """The functions of the present step."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.all: list[Activation] = []
        self.batch_paths: dict[int, str] = {}
        """Object number of a loader's tensor to the expression for it."""
        self._known: dict[tuple[Any, ...], int] = {}

    def clear(self) -> None:
        """A new step begins; calls of earlier ones that it may still read, as an adversary's examples, ran in functions that are none of its own."""
        self.all, self._known = [], {}
        for call in self.ledger.calls:
            call.scope = None
        living = {seen.number for seen in self.ledger.values.values()}
        self.batch_paths = {number: path for number, path in self.batch_paths.items() if number in living}

    def default_names(self) -> dict[int, str]:
        """Object number to a name for values without a variable: the argument that they were given as, or their place in the batch."""
        found = dict(self.batch_paths)
        for item in self.all:
            for name, value in item.arguments.items():
                if value in self.ledger.values:
                    found[self.ledger.values[value].number] = name
        return found

    def scope(self, frame: FrameType) -> int | None:
        """The number of the deepest user function that runs; None at the top level of a file."""
        functions: list[FrameType] = []
        user = source.user_frame(frame)
        while user is not None and len(functions) < LEVELS:
            if user.f_code.co_name != "<module>":
                functions.append(user)
            user = source.user_frame(user.f_back)
        parent: int | None = None
        for function in reversed(functions):
            parent = self._one(function, parent)
        return parent

    def _one(self, frame: FrameType, parent: int | None) -> int:
        arguments = dict(self._tensors(frame))
        key = (frame.f_code, parent, *arguments.values())
        if key not in self._known:
            self._known[key] = len(self.all)
            self.all.append(self._activation(frame, arguments, parent))
        return self._known[key]

    def _activation(self, frame: FrameType, arguments: dict[str, str], parent: int | None) -> Activation:
        code = frame.f_code
        definition = Site(code.co_filename, code.co_firstlineno, function=code.co_name)
        return Activation(code.co_name, code, arguments, definition, source.trace(frame.f_back), source.unread_parameters(code), parent)

    def _tensors(self, frame: FrameType) -> Iterator[tuple[str, str]]:
        held = frame.f_locals
        for name in source.parameters_of(frame.f_code):
            item = held.get(name)
            if isinstance(item, Tensor) and not isinstance(item, nn.Parameter):
                yield name, self.ledger.slot(item).value
            elif isinstance(item, list | tuple) and len(item) <= ITEMS:
                yield from ((f"{name}[{at}]", self.ledger.slot(part).value) for at, part in enumerate(item) if isinstance(part, Tensor))
            elif isinstance(item, dict) and len(item) <= ITEMS:
                yield from ((f"{name}[{key!r}]", self.ledger.slot(part).value) for key, part in item.items() if isinstance(part, Tensor))
