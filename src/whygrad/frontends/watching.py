"""Notices that the program imports a framework, without importing one itself."""

import sys
from collections.abc import Callable, Collection, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from threading import get_ident
from types import ModuleType
from typing import Any

INERT = frozenset(("monitoring", "config", "version", "Array", "typing", "dtypes", "errors", "profiler"))
"""Names in JAX by which nothing is computed. Keras looks for `jax.monitoring.record_scalar` on whatever backend, and others ask whether something is a `jax.Array`: starting a recorder for that took 0.13 s."""


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


class Asleep:
    """A framework that another one has imported for itself, as TensorFlow does JAX: it arrives when something else first looks into it."""

    def __init__(self, module: ModuleType, busy: Callable[[], bool], arrived: Callable[[], None]) -> None:
        self.module, self.kind = module, type(module)
        thread, wake = get_ident(), self.wake

        class Sleeping(self.kind):  # type: ignore[name-defined, misc]  # the module's own type
            def __getattribute__(self, name: str) -> Any:
                # timid: what every module has is looked at by imports and sweeps that use nothing of it
                if not name.startswith("__") and name not in INERT and get_ident() == thread and not busy():
                    wake()
                    arrived()
                    return getattr(self, name)
                return super().__getattribute__(name)

        module.__class__ = Sleeping

    def wake(self) -> None:
        """The module is as it was."""
        self.module.__class__ = self.kind


class Watching(MetaPathFinder):
    """First on `sys.meta_path` while a program runs; calls `arrived(name)` once for each framework that was imported.

    patient: of a whole run, for whom what another of them imports for itself arrives only when it is used, since a recorder takes time to start.
    """

    def __init__(self, frameworks: Collection[str], arrived: Callable[[str], None], *, patient: bool = False) -> None:
        self.patient = patient
        self.waiting = set(frameworks)
        self.arrived = arrived
        self.asleep: list[Asleep] = []

    def install(self) -> None:
        """Start watching; a framework that is already imported arrives at once."""
        for name in sorted(self.waiting.intersection(sys.modules)):
            self.announce(name)
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Stop watching."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for sleeper in self.asleep:
            sleeper.wake()

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
            spec.loader = Watched(spec.loader, lambda: self.loaded(fullname))
        return spec

    def loaded(self, name: str) -> None:
        """Announce a module that was executed, or let it sleep until it is used."""
        above = [other for other in self.waiting - {name} if self.patient and _loading(other)]
        if above:
            self.asleep.append(Asleep(sys.modules[name], lambda: any(map(_loading, above)), lambda: self.announce(name)))
        else:
            self.announce(name)

    def elsewhere(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        """What the finders behind this one find."""
        for finder in tuple(sys.meta_path):
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(fullname, path, target) if find else None
            if spec is not None:
                return spec
        return None


def _loading(name: str) -> bool:
    """Whether a module is being executed."""
    return bool(getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", False))


def watched() -> bool:
    """Whether some whygrad already watches this process; a front end that waits for a part of its own framework is none."""
    return any(isinstance(finder, Watching) and finder.patient for finder in sys.meta_path)
