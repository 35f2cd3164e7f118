"""The program's own code that a compiled step runs through, and the Python numbers that this code reads by name. Nothing is kept alive."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any
from weakref import ref

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.codes import names_in, parts_of

FUNCTIONS = 64
"""Functions of the program's that are read for one step: beyond, a step is a library of its own."""
MOST = 48
"""Numbers that are looked at for each compiled step: comparing one takes about 3 µs, at the first calls and then at some of them."""
LARGEST = 1e15
"""Beyond, a float is no exact count."""
CALLS = ("__call__", "call")
"""Methods that run where an object is called."""
Variable = Callable[[], Any]
"""What a variable holds at the moment."""
Key = tuple[str, str]
"""The variable that a function knows something by, and the attribute or entry of it that is a number; "" for the variable itself."""
Root = tuple[Any, Any]
"""A function of the program's, and the object whose method it is; None for none."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One piece of code, and what holds the numbers that it reads."""

    code: CodeType
    holders: dict[Key, Variable] = field(default_factory=dict)

    def numbers(self) -> Iterator[tuple[Key, float]]:
        """The numbers as they are now."""
        for key, variable in self.holders.items():
            number = present(variable(), key[1])
            if number is not None:
                yield key, number


def readings(roots: Iterable[Root]) -> list[Reading]:
    """The code that a step comes to, from these functions on: by name, by closure, and by calls of the program's own objects."""
    todo, seen, found = deque(roots), set[tuple[CodeType, int]](), list[Reading]()
    while todo and len(seen) < FUNCTIONS:
        function, own = _plain(*todo.popleft())
        code = getattr(function, "__code__", None)
        if not isinstance(code, CodeType) or (code, id(own)) in seen or not source.is_user(code):
            continue
        seen.add((code, id(own)))
        names = names_in(code)
        variables = dict(_variables(function, code, own, names))
        found += [_reading(part, variables, set(names)) for part in parts_of(code)]
        for variable in variables.values():
            todo.extend(_called(variable(), names))
        for name in names if own is not None else ():
            held = getattr(own, "__dict__", {}).get(name)
            todo.extend(_called(held, names))
    return found


def _plain(function: Any, own: Any) -> Root:
    """A function below its decorators, and its object."""
    own = getattr(function, "__self__", own) if isinstance(function, MethodType) else own
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
        own = getattr(function, "__self__", own) if isinstance(function, MethodType) else own
    return getattr(function, "__func__", function), own


def _variables(function: Any, code: CodeType, own: Any, names: list[str]) -> Iterator[tuple[str, Variable]]:
    known = getattr(function, "__globals__", {})
    yield from ((name, partial(known.get, name)) for name in names if name in known)
    with suppress(TypeError):
        yield from ((name, partial(_content, ref(function), at)) for at, name in enumerate(code.co_freevars))
    if own is not None and code.co_argcount:
        with suppress(TypeError):
            yield code.co_varnames[0], ref(own)


def _content(function: Callable[[], Any], at: int) -> Any:
    with suppress(ValueError, IndexError, TypeError):  # not filled yet, or the function is gone
        return function().__closure__[at].cell_contents
    return None


def _called(item: Any, names: Iterable[str]) -> Iterator[Root]:
    """The program's functions that run where something is called, or a method of it by one of these names."""
    if isinstance(item, FunctionType | MethodType):
        yield item, None
    elif _own(item):
        for name in (*CALLS, *names):
            method = getattr(type(item), name, None)
            if isinstance(method, FunctionType):
                yield method, item


def _own(item: Any) -> bool:
    """An object of a class that the program wrote."""
    found = type(item)
    return found.__module__ != "builtins" and any(
        isinstance(value, FunctionType) and source.is_user(value.__code__) for base in found.__mro__[:-1] for value in vars(base).values()
    )


def _reading(code: CodeType, variables: dict[str, Variable], names: set[str]) -> Reading:
    """What of the variables are numbers, or hold such by a name that the code mentions."""
    texts = {item for item in code.co_consts if isinstance(item, str)}
    read = {*code.co_names, *code.co_freevars, *code.co_varnames[:1]}
    found: dict[Key, Variable] = {}
    for name, variable in variables.items():
        if name in read:
            found |= {(name, key): variable for key in _numbered(variable(), texts, names)}
    return Reading(code, found)


def _numbered(item: Any, texts: set[str], names: set[str]) -> Iterator[str]:
    if number_of(item) is not None:
        yield ""
    held = item if isinstance(item, dict) else getattr(item, "__dict__", {}) if _holds(item) else {}
    for name in (texts if isinstance(item, dict) else names) & set(held):
        if number_of(held[name]) is not None:
            yield name


def _holds(item: Any) -> bool:
    """No module of a library's, and no class."""
    return not isinstance(item, type) and (not isinstance(item, ModuleType) or source.is_own_file(getattr(item, "__file__", None) or ""))


def number_of(item: Any) -> float | None:
    """A Python or NumPy number; None for anything else."""
    if not isinstance(item, bool | int | float | np.integer | np.floating | np.bool_):
        return None
    number = float(item)
    return number if abs(number) < LARGEST else None


def present(item: Any, key: str) -> float | None:
    """The number as it is now; None where there is none any longer."""
    held = item if isinstance(item, dict) else getattr(item, "__dict__", {})
    return number_of(held.get(key)) if key else number_of(item)
