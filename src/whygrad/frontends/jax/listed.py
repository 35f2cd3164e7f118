"""Models that are a list of layers and functions (`nnx.Sequential`): which entry of the list runs, and where it is written."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

from whygrad.frontends import source
from whygrad.ir import Site

RUNS = "/flax/nnx/"
"""Where the library keeps the code that goes through such a list."""
DEEP = 60
"""Frames between a primitive and the list that it runs in: a layer has a few."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a list: the call that made the list, and the number of the argument."""

    made: source.Trace
    position: int

    def site(self, sources: source.Sources) -> Site | None:
        """Where the entry is written; None where the arguments can't be told apart."""
        whole = sources.site(self.made)
        call = _call(sources, whole) if whole is not None else None
        given = _arguments(call) if call is not None else ()
        if whole is None or not self.position < len(given):
            return None
        node = given[self.position]
        text = sources.line(whole.file, node.lineno)
        end = node.end_lineno or node.lineno
        last = sources.line(whole.file, end)
        columns = (_character(text, node.col_offset), _character(last, node.end_col_offset or 0))
        return replace(whole, line=node.lineno, end_line=end, column=columns[0], end_column=columns[1], text=text)


class Lists:
    """Every such list that was made. Copies of a model are made of its parts, and so a list is known by what it holds."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], tuple[Sequence[Any], source.Trace | None]] = {}

    def made(self, entries: Sequence[Any], frame: FrameType | None) -> None:
        """A list was made; two of the same entries that were made at different places are not told apart."""
        key, found = _key(entries), source.trace(frame)
        before = self._made.get(key)
        same = before is None or (before[1] is not None and found is not None and before[1].user[0] == found.user[0])
        self._made[key] = (entries, found if same else None)

    def running(self, frame: FrameType | None) -> Entry | None:
        """The entry that runs a primitive, called by a list and not by a function of the user's."""
        for _ in range(DEEP if self._made else 0):
            if frame is None or source.is_user(frame.f_code):
                return None
            if frame.f_code.co_name == "__call__" and RUNS in frame.f_code.co_filename.replace("\\", "/"):
                owner: Any = frame.f_locals.get("self")
                at = frame.f_locals.get("i")
                if type(owner).__name__ == "Sequential" and isinstance(at, int):
                    trace = self._made.get(_key(tuple(owner.layers)), ((), None))[1]
                    return Entry(trace, at) if trace is not None else None
            frame = frame.f_back
        return None


def _key(entries: Sequence[Any]) -> tuple[object, ...]:
    """Functions by themselves, layers by their class."""
    return tuple(type(item) if _is_layer(item) else id(item) for item in entries)


def _is_layer(item: object) -> bool:
    return any(base.__module__ == "flax.nnx.module" for base in type(item).__mro__)


def _call(sources: source.Sources, whole: Site) -> ast.Call | None:
    try:
        tree = ast.parse(sources.text(whole.file))
    except (SyntaxError, ValueError):
        return None
    calls = (
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and (node.lineno, node.end_lineno) == (whole.line, whole.end_line)
    )
    return next((node for node in calls if _character(whole.text, node.col_offset) == whole.column), None)


def _arguments(call: ast.Call) -> tuple[ast.expr, ...]:
    """What is written for each argument, in the order in which they are given; nothing from one on that is not written out."""
    found: list[ast.expr] = []
    for argument in call.args:
        if not isinstance(argument, ast.Starred):
            found.append(argument)
        elif isinstance(argument.value, ast.List | ast.Tuple) and not any(isinstance(item, ast.Starred) for item in argument.value.elts):
            found += argument.value.elts
        else:
            break
    return tuple(found)


def _character(text: str, offset: int) -> int:
    """A column of a place, of an offset in bytes."""
    return len(text.encode()[:offset].decode(errors="ignore")) + 1
