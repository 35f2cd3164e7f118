"""One derivative that the program asked for: the tape of its function, what it was given, and what came of it."""

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax

from whygrad.frontends import source
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.tape import Bound, Numbers

FORWARD = ("jvp", "jacobian")
"""Derivatives that programs train by, and that others take of data and states."""
SLOPES = "a derivative that is no gradient (`jax.jvp`, `jax.jacfwd` and the like) was not looked at: it was not seen to update what it is taken by"


@dataclass(slots=True)
class Argument:
    """One array that the differentiated function was given."""

    path: str
    number: int
    differentiated: bool
    root: str = ""
    """The argument that it is, or lies in."""
    state: bool = False
    """It is known to be no data, but what a model or an optimizer keeps."""
    frozen: bool = False
    """It is a parameter that is not trained."""


@dataclass(slots=True)
class Derivation:
    """One call of `value_and_grad` and the like."""

    trace: source.Trace | None
    numbers: Numbers
    bounds: list[Bound] = field(default_factory=list)
    arguments: list[Argument] = field(default_factory=list)
    loss: int | None = None
    losses: tuple[int, ...] = ()
    auxiliary: tuple[int, ...] = ()
    gradients: dict[str, Any] = field(default_factory=dict)
    """Parameter name to its gradient: an array, or a tracer of the program that is being traced."""
    kind: str = "grad"
    failed: BaseException | None = None
    around: "Derivation | None" = None
    """The derivative forward, or by rows of a matrix, that it is taken within."""
    plain: tuple[str, ...] = ()
    """Places of what is differentiated that hold a Python number and no array."""
    put_at: tuple[str, int, str, str] | None = None
    """File, line, class and text of where the first of them is put into its object."""

    @property
    def parameters(self) -> list[Argument]:
        """What is differentiated."""
        return [argument for argument in self.arguments if argument.differentiated]

    @property
    def forward(self) -> bool:
        """It is no gradient by itself: a slope along one direction, or a matrix of slopes."""
        return self.kind in FORWARD

    @property
    def frozen(self) -> list[Argument]:
        """Parameters that it is not taken by."""
        return [argument for argument in self.arguments if argument.frozen]

    def beside(self, other: "Derivation") -> bool:
        """Both are asked for at the same place."""
        return self.trace is not None and other.trace is not None and self.trace.user == other.trace.user

    def external(self) -> list[int]:
        """Values that the function reads and does not make."""
        made: set[int] = set()
        found: dict[int, None] = {}
        for bound in self.bounds:
            found.update((item, None) for item in bound.inputs if isinstance(item, int) and item not in made)
            made.update(bound.outputs)
        return list(found)


@dataclass(slots=True)
class Asked:
    """What the program asked JAX to differentiate."""

    kind: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    argnums: tuple[int, ...]
    has_aux: bool
    gradients: Callable[[Any], Any]
    """The gradients in what JAX returns."""
    names: dict[int, str] = field(default_factory=dict)
    """For an argument, by position, the user's name for it where the derivative is asked for."""


class Taping(Protocol):
    """What is asked of the recorder."""

    taping: int
    around: Any


@contextmanager
def asking(recorder: Taping, derivation: Derivation) -> Iterator[None]:
    """While its function runs: what is asked for within a derivative forward may be the gradient, and is looked at; within any other it is not."""
    before = recorder.around, recorder.taping
    if derivation.forward:
        recorder.around = derivation
    else:
        recorder.taping += 1
    try:
        yield
    finally:
        recorder.around, recorder.taping = before


def arguments_of(asked: Asked, numbers: Numbers) -> list[Argument]:
    """The arrays among a function's arguments, by the names that the user has for them: where it is called, else where it is written."""
    args, kwargs, argnums = asked.args, asked.kwargs, asked.argnums
    names = [asked.names.get(at, name) for at, name in enumerate(argument_names(asked.function, len(args)))]
    found: list[Argument] = []
    given = [(name, item, at in argnums) for at, (name, item) in enumerate(zip(names, args, strict=True))]
    given += [(name, item, False) for name, item in kwargs.items()]
    for root, item, differentiated in given:
        for path, leaf in jax.tree_util.tree_flatten_with_path(item)[0]:
            if differentiated or is_data(leaf):
                found.append(Argument(tidy(root, path), number_of(leaf, numbers), differentiated, root))
    return _numbered(found)


def plain_numbers(asked: Asked) -> tuple[tuple[str, ...], tuple[str, int, str, str] | None]:
    """Places that are left out of the tree that is differentiated, and that hold Python numbers in a tree which the function is handed beside it, as equinox takes a model apart; and where the first comes from."""
    moving = [item for at, item in enumerate(asked.args) if at in asked.argnums]
    beside = [item for at, item in enumerate(asked.args) if at not in asked.argnums]
    out = {path for item in moving for path, leaf in _paths(item) if leaf is None}
    found = (path for item in beside for path, leaf in _paths(item) if path in out and isinstance(leaf, float))
    names = tuple(dict.fromkeys(jax.tree_util.keystr(path).lstrip(".") for path in found))
    return names, _put_at(asked, names[0]) if names and names[0].isidentifier() else None


def _put_at(asked: Asked, name: str) -> tuple[str, int, str, str] | None:
    """Where a class of the user's puts a field into its objects, or declares it."""
    for kind in {type(item) for item in asked.args}:
        module = sys.modules.get(kind.__module__)
        if not source.is_own_file(getattr(module, "__file__", None) or ""):
            continue
        try:
            lines, first = inspect.getsourcelines(kind)
        except (OSError, TypeError):
            continue
        for pattern in (rf"\s*self\.{name}\s*(:[^=]*)?=[^=]", rf"\s*{name}\s*:"):
            found = next((at for at, text in enumerate(lines) if re.match(pattern, text)), None)
            if found is not None:
                return str(inspect.getsourcefile(kind)), first + found, kind.__qualname__, lines[found].rstrip("\n")
    return None


def _paths(tree: Any) -> list[tuple[Any, Any]]:
    return jax.tree_util.tree_flatten_with_path(tree, is_leaf=lambda leaf: leaf is None)[0]


def entered(derivation: Derivation, asked: Asked, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """The function runs: the tracers that it is given stand for the arguments."""
    before, after = leaves((asked.args, asked.kwargs)), leaves((tuple(args), kwargs))
    if len(before) == len(after):
        for outside, inside in zip(before, after, strict=True):
            if _compat.is_array(outside) or _compat.is_tracer(inside):
                derivation.numbers.same(inside, derivation.numbers.of(outside))
    moving = {argument.number for argument in derivation.parameters}
    for outside, inside in zip(before, after, strict=False):
        if outside is not inside and derivation.numbers.seen(outside) in moving:
            derivation.numbers.apart(outside)


def left(derivation: Derivation, asked: Asked, result: Any) -> None:
    """The function has returned: its loss, and what it hands out beside it."""
    value, *auxiliary = result if asked.has_aux and isinstance(result, tuple) else (result,)
    found = [derivation.numbers.of(leaf) for leaf in leaves(value) if _compat.is_array(leaf)]
    derivation.losses, derivation.loss = tuple(found), found[0] if found else None
    derivation.auxiliary = tuple(derivation.numbers.of(leaf) for leaf in leaves(auxiliary) if _compat.is_array(leaf))


def _numbered(found: list[Argument]) -> list[Argument]:
    taken: set[str] = set()
    for argument in found:
        number, path = 1, argument.path
        while argument.path in taken:
            number += 1
            argument.path = f"{path} ({number})"
        taken.add(argument.path)
    return found


def is_data(leaf: Any) -> bool:
    """An array with numbers in it."""
    return _compat.is_array(leaf) and getattr(getattr(leaf, "dtype", None), "kind", "O") in "biufVc"


def number_of(leaf: Any, numbers: Numbers) -> int:
    """The number of an argument; NumPy's arrays are remembered, since they come again as copies."""
    number = numbers.of(leaf)
    inner = _compat.plain(leaf)
    if type(inner).__module__ == "numpy" and getattr(inner, "size", 0) > 1:
        numbers.remember(inner, number)
    return number


def argument_names(function: Callable[..., Any], count: int) -> list[str]:
    """The names of a function's positional parameters; those of the user's function behind a library's wrapper."""
    inner = user_function(function)
    try:
        names = [
            name
            for name, parameter in inspect.signature(inner).parameters.items()
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        names = []
    return [*names[:count], *(f"argument {at}" for at in range(len(names), count))]


def user_function(function: Any, depth: int = 0) -> Any:
    """The function of the user's behind partial applications and wrappers."""
    code = getattr(function, "__code__", None)
    if depth > 8 or (code is not None and source.is_user(code)):  # noqa: PLR2004 - wrappers are nested two or three deep
        return function
    for inner in _wrapped(function):
        found = user_function(inner, depth + 1)
        code = getattr(found, "__code__", None)
        if code is not None and source.is_user(code):
            return found
    return function


def _wrapped(function: Any) -> Iterator[Any]:
    yield from (
        inner for name in ("__wrapped__", "func", "f", "fun", "_fun", "__func__") if callable(inner := getattr(function, name, None))
    )
    for cell in getattr(function, "__closure__", None) or ():
        try:
            inner = cell.cell_contents
        except ValueError:
            continue
        if callable(inner) and not isinstance(inner, type):
            yield inner


def tidy(root: str, path: Sequence[Any]) -> str:
    """A leaf's name: `params['w']`; attributes and states of modules without what their libraries put between."""
    parts = [_part(key) for key in path]
    if parts and any("." in part for part in parts):
        parts = [part for part in parts if part not in (".value", ".raw_value", "._state_mapping")]
    if parts[:1] == [".states"]:
        parts = [f".{part[2:-2]}" if part.startswith("['") else part for part in parts[2:]]
    return root + "".join(parts)


def _part(key: Any) -> str:
    for name in ("name", "key", "idx"):
        if hasattr(key, name):
            found = getattr(key, name)
            return f".{found}" if name == "name" else f"[{found!r}]"
    return str(key)


def leaves(tree: Any) -> list[Any]:
    """The arrays of a tree, in order."""
    return list(jax.tree_util.tree_leaves(tree))
