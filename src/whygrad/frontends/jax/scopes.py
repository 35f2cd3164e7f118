"""Calls of the user's functions in which primitives run, with the values that they were given, and the modules around them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from inspect import CO_OPTIMIZED
from types import CodeType, FrameType
from typing import Any

from whygrad.frontends import source
from whygrad.frontends.codes import once_for_each
from whygrad.frontends.jax import _compat, layers
from whygrad.frontends.jax.tape import Numbers
from whygrad.ir import Scope, Site

LEVELS = 3
"""The user's functions that are looked at for each primitive, from the deepest outwards."""
NAMELESS = ("<module>", "<lambda>", "<listcomp>", "<genexpr>", "<dictcomp>")
"""Code that is no function with a name."""
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
        self._known: dict[tuple[int, int, int | None], int] = {}

    def scope(self, callers: Sequence[FrameType], numbers: Numbers) -> int | None:
        """The number of the deepest user function that runs, of the user's frames from the deepest outwards; None at the top level of a file."""
        functions = [frame for frame in callers if frame.f_code.co_name not in NAMELESS]
        parent: int | None = None
        for function in reversed(functions[:LEVELS]):
            parent = self._one(function, parent, numbers)
        return parent

    def _one(self, frame: FrameType, parent: int | None, numbers: Numbers) -> int:
        key = (id(frame), id(frame.f_code), parent)
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
        if _is_data(item, numbers):
            yield name, _number(item, numbers)
        elif isinstance(item, list | tuple) and len(item) <= ITEMS:
            yield from ((f"{name}[{at}]", _number(part, numbers)) for at, part in enumerate(item) if _is_data(part, numbers))
        elif isinstance(item, dict) and len(item) <= ITEMS:
            yield from ((f"{name}[{key!r}]", _number(part, numbers)) for key, part in item.items() if _is_data(part, numbers))


def _is_data(item: Any, numbers: Numbers) -> bool:
    if not _compat.is_array(item) or getattr(getattr(item, "dtype", None), "kind", "f") not in "biufV":
        return False
    # a single number that is differentiated, or stands beside that: one row of a loop over rows
    return getattr(item, "ndim", 0) > 0 or bool(_compat.mapped(item)) or (_compat.is_tracer(item) and numbers.seen(item) is not None)


def _number(item: Any, numbers: Numbers) -> int:
    """The number of a value; of a row that a `vmap` within makes of a known one, that of all rows."""
    known = (number for inner in _compat.layers(item) if (number := numbers.seen(inner)) is not None)
    found = next(known, None) if _compat.is_tracer(item) else None
    return found if found is not None else numbers.of(item)


def module_of(frame: FrameType | None) -> str:
    """The path of the deepest library or user module whose method runs: `Dense_0`, or its class where it has no path."""
    depth = 0
    while frame is not None and depth < 40:  # noqa: PLR2004 - wrappers of modules are far fewer
        owner = _owner(frame) if frame.f_code.co_name in ("__call__", "forward", "apply", "encode", "decode") else None
        if owner is not None and layers.is_layer(owner):
            return layers.path_of(frame)
        if owner is not None and _is_module(owner) and not type(owner).__name__.startswith("_"):
            return _path(owner)
        if source.is_user(frame.f_code) and not _belongs(frame):
            return ""
        frame = frame.f_back
        depth += 1
    return ""


def _belongs(frame: FrameType) -> bool:
    """A method of a module, or a function within one."""
    owner = _owner(frame)
    return owner is not None and _is_module(owner)


def _owner(frame: FrameType) -> Any:
    """What the function that runs calls `self`. Only asked of code with such a name: the variables of a frame are copied for each question."""
    return frame.f_locals.get("self") if _names_self(frame.f_code) else None


@once_for_each
def _names_self(code: CodeType) -> bool:
    return not code.co_flags & CO_OPTIMIZED or "self" in (*code.co_varnames, *code.co_cellvars, *code.co_freevars)


def _is_module(owner: object) -> bool:
    return _of_modules(type(owner))  # type: ignore[arg-type]  # mypy sees the hash of its instances


@lru_cache(maxsize=1000)
def _of_modules(kind: type) -> bool:
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
