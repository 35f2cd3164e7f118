"""Calls of the user's functions in which primitives run, with the values that they were given, and the modules around them."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from whygrad.frontends import source
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.tape import Numbers
from whygrad.ir import Scope, Site

LEVELS = 3
"""The user's functions that are looked at for each primitive, from the deepest outwards."""
ITEMS = 16
"""Items of a container argument that are looked at."""


@dataclass(slots=True)
class Activation:
    """One call of a function of the user's."""

    function: str
    arguments: dict[str, int]
    definition: Site
    caller: source.Trace | None
    unread: tuple[str, ...]
    parent: int | None = None


class Activations:
    """The functions of one step, or of one traced program."""

    def __init__(self) -> None:
        self.all: list[Activation] = []
        self._known: dict[tuple[Any, ...], int] = {}

    def scope(self, frame: FrameType | None, numbers: Numbers) -> int | None:
        """The number of the deepest user function that runs; None at the top level of a file."""
        functions: list[FrameType] = []
        user = source.user_frame(frame)
        while user is not None and len(functions) < LEVELS:
            if user.f_code.co_name not in ("<module>", "<lambda>", "<listcomp>", "<genexpr>", "<dictcomp>"):
                functions.append(user)
            user = source.user_frame(user.f_back)
        parent: int | None = None
        for function in reversed(functions):
            parent = self._one(function, parent, numbers)
        return parent

    def _one(self, frame: FrameType, parent: int | None, numbers: Numbers) -> int:
        key = (id(frame), frame.f_code, parent)
        if key not in self._known:
            self._known[key] = len(self.all)
            arguments = dict(values_in(frame, numbers))
            code = frame.f_code
            definition = Site(code.co_filename, code.co_firstlineno, function=code.co_name)
            self.all.append(
                Activation(code.co_name, arguments, definition, source.trace(frame.f_back), source.unread_parameters(code), parent)
            )
        return self._known[key]

    def names(self) -> dict[int, str]:
        """Value number to the argument that it was given as, the innermost function's word counting most."""
        return {number: name for item in self.all for name, number in item.arguments.items()}

    def records(self, named: dict[int, str], definitions: source.Sources, sites: Any) -> tuple[Scope, ...]:
        """As the neutral record has them; `named` maps numbers to value names."""
        return tuple(
            Scope(
                item.function,
                {name: named[number] for name, number in item.arguments.items() if number in named},
                _with_text(item.definition, definitions),
                sites(item.caller),
                item.unread,
                item.parent,
            )
            for item in self.all
        )


def _with_text(site: Site, sources: source.Sources) -> Site:
    return Site(site.file, site.line, function=site.function, text=sources.line(site.file, site.line))


def values_in(frame: FrameType, numbers: Numbers) -> Iterator[tuple[str, int]]:
    """The arrays among a function's arguments, in containers too."""
    held = frame.f_locals
    for name in source.parameters_of(frame.f_code):
        item = held.get(name)
        if _is_data(item):
            yield name, numbers.of(item)
        elif isinstance(item, list | tuple) and len(item) <= ITEMS:
            yield from ((f"{name}[{at}]", numbers.of(part)) for at, part in enumerate(item) if _is_data(part))
        elif isinstance(item, dict) and len(item) <= ITEMS:
            yield from ((f"{name}[{key!r}]", numbers.of(part)) for key, part in item.items() if _is_data(part))


def _is_data(item: Any) -> bool:
    rows = getattr(item, "ndim", 0) > 0 or _compat.mapped(item) is not None
    return _compat.is_array(item) and rows and getattr(getattr(item, "dtype", None), "kind", "f") in "biufV"


def module_of(frame: FrameType | None) -> str:
    """The path of the deepest library or user module whose method runs: `Dense_0`, or its class where it has no path."""
    depth = 0
    while frame is not None and depth < 40:  # noqa: PLR2004 - wrappers of modules are far fewer
        owner = frame.f_locals.get("self") if frame.f_code.co_name in ("__call__", "forward", "apply", "encode", "decode") else None
        if owner is not None and _is_module(type(owner)) and not type(owner).__name__.startswith("_"):
            return _path(owner)
        if source.is_user(frame.f_code) and not _belongs(frame):
            return ""
        frame = frame.f_back
        depth += 1
    return ""


def _belongs(frame: FrameType) -> bool:
    """A method of a module, or a function within one."""
    owner = frame.f_locals.get("self")
    return owner is not None and _is_module(type(owner))


def _is_module(kind: type) -> bool:
    bases = {f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__}
    return not bases.isdisjoint(
        ("flax.linen.module.Module", "flax.nnx.module.Module", "equinox._module._module.Module", "equinox._module.Module")
    )


def _path(owner: Any) -> str:
    try:
        found = "/".join(str(part) for part in owner.path) if hasattr(type(owner), "path") else ""
    except (AttributeError, ValueError):
        found = ""
    return found or type(owner).__name__
