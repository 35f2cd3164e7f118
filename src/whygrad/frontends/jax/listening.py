"""What a tape asks while a function of the program's runs: which functions of whose it is in."""

from collections.abc import Sequence
from types import FrameType

from whygrad.frontends.jax.listed import Entry, Lists
from whygrad.frontends.jax.scopes import Activations, module_of
from whygrad.frontends.jax.tape import Custom, Numbers


class Listener:
    """Knows the functions that are being called."""

    def __init__(self) -> None:
        self.customs: list[Custom] = []
        self.activations = Activations()
        self.lists = Lists()

    def custom(self) -> Custom | None:
        """The function with a derivative of its own that is being called."""
        return self.customs[-1] if self.customs else None

    def scope(self, callers: Sequence[FrameType], numbers: Numbers) -> int | None:
        """The number of the user's function that runs, of the user's frames from the deepest outwards."""
        return self.activations.scope(callers, numbers)

    def module(self, frame: FrameType | None) -> str:
        """The path of the library module that runs."""
        return module_of(frame)

    def entry(self, frame: FrameType | None) -> Entry | None:
        """The entry of a list that runs."""
        return self.lists.running(frame)
