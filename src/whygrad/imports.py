"""Keeps whygrad's imports and the program's apart: the user may have a file named like a module that whygrad loads."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from types import ModuleType

LATE = ("rich", "pygments", "markdown_it", "mdurl", "msgspec", "click", "statistics", "fractions")
"""Modules that are needed once the program runs, and are not loaded before."""


def hide_shadowed(folder: str) -> dict[str, ModuleType]:
    """Forget modules that whygrad loaded though the program's own folder has one of that name, so that the program gets its own.

    Returns what was taken out of `sys.modules`. Built-in and frozen modules stay: plain Python has loaded them as well.
    """
    tops = {name.partition(".")[0] for name in tuple(sys.modules)} - {"whygrad", "__main__"}
    hidden = {top for top in tops if _can_be_shadowed(top) and _found_in(top, [folder]) not in (None, _origin(top))}
    taken = {name: module for name, module in tuple(sys.modules.items()) if name.partition(".")[0] in hidden}
    for name in taken:
        del sys.modules[name]
    return taken


def _can_be_shadowed(top: str) -> bool:
    spec = getattr(sys.modules.get(top), "__spec__", None)
    return spec is not None and spec.origin not in ("built-in", "frozen")


def _origin(top: str) -> str | None:
    spec = getattr(sys.modules.get(top), "__spec__", None)
    return spec.origin if spec is not None else None


def _found_in(top: str, path: list[str]) -> str | None:
    """The file that an import of `top` would load from these folders; None for none, and for a mere folder of that name."""
    try:
        spec = PathFinder.find_spec(top, path)
    except (ImportError, ValueError, OSError):
        return None
    return spec.origin if spec is not None and spec.loader is not None else None


@contextmanager
def own_imports(path: list[str], hidden: dict[str, ModuleType]) -> Iterator[None]:
    """Within this block imports find whygrad's own dependencies, whatever the program did to `sys.path` and `sys.modules`."""
    theirs_path = list(sys.path)
    sys.path[:] = path
    foreign = {top for top in LATE if top in sys.modules and _found_in(top, path) not in (None, _origin(top))}
    foreign |= {name.partition(".")[0] for name in hidden}
    theirs = {name: module for name, module in tuple(sys.modules.items()) if name.partition(".")[0] in foreign}
    for name in theirs:
        del sys.modules[name]
    sys.modules.update(hidden)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] in foreign]:
            del sys.modules[name]
        sys.modules.update(theirs)
        sys.path[:] = theirs_path
