"""Notices that the program imports a framework, without importing one itself."""

import sys
from collections.abc import Callable, Collection, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class Watched(Loader):
    """A loader that does what `inner` does, and says when the module is there."""

    def __init__(self, inner: Loader, arrived: Callable[[], None]) -> None:
        self.inner = inner
        self.arrived = arrived

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the real loader would."""
        return self.inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own loader back, run it, then say that it is there."""
        module.__loader__ = self.inner
        if module.__spec__ is not None:
            module.__spec__.loader = self.inner
        self.inner.exec_module(module)
        self.arrived()

    def __getattr__(self, name: str) -> Any:
        """Everything else that a loader may offer: `get_source`, `get_data` and so on."""
        return getattr(self.inner, name)


class Watching(MetaPathFinder):
    """First on `sys.meta_path` while a program runs; calls `arrived(name)` once for each framework that was imported."""

    def __init__(self, frameworks: Collection[str], arrived: Callable[[str], None]) -> None:
        self.waiting = set(frameworks)
        self.arrived = arrived

    def install(self) -> None:
        """Start watching; a framework that is already imported arrives at once."""
        for name in sorted(self.waiting.intersection(sys.modules)):
            self.announce(name)
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Stop watching."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def announce(self, name: str) -> None:
        """Say once that `name` is there."""
        if name in self.waiting:
            self.waiting.discard(name)
            self.arrived(name)

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec that the other finders give, with its loader watched; None for every other module."""
        if fullname not in self.waiting:
            return None
        spec = self.elsewhere(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = Watched(spec.loader, lambda: self.announce(fullname))
        return spec

    def elsewhere(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        """What the finders behind this one find."""
        for finder in tuple(sys.meta_path):
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(fullname, path, target) if find else None
            if spec is not None:
                return spec
        return None


def watched() -> bool:
    """Whether some whygrad already watches this process."""
    return any(isinstance(finder, Watching) for finder in sys.meta_path)
