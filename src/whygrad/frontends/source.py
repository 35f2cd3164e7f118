"""From running frames to places in the user's source. Shared by all front ends; imports no framework."""

import ast
import dis
import linecache
import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType, GeneratorType

from whygrad.frontends.codes import once_for_each
from whygrad.ir import Frame, Site

LIBRARY_FRAMES = 8
"""How many library frames below the user's own are kept for each place."""
CALLERS = 12
"""How many of the user's frames above the place are kept."""

OURS = str(Path(__file__).resolve().parent.parent) + os.sep

READING = ("LOAD_FAST", "LOAD_NAME", "LOAD_GLOBAL", "LOAD_DEREF", "LOAD_CLASSDEREF")
"""How instructions begin that read a variable, or two at once."""

Point = tuple[CodeType, int]
"""A code object and the offset of its running instruction: cheap to keep, decoded when a report is written."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a call was made: the user's frames from the deepest one outwards, and the library's below it, deepest first."""

    user: tuple[Point, ...]
    library: tuple[Point, ...]


def library_folders() -> tuple[str, ...]:
    """Folders whose code is not the user's: the standard library, installed packages, whygrad itself."""
    paths = sysconfig.get_paths()
    named = {paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    installed = {path for path in sys.path if path.endswith(("site-packages", "dist-packages"))}
    return tuple(sorted(str(Path(folder)) + os.sep for folder in (*named, *installed, OURS)))


LIBRARIES = library_folders()
COMMANDS = sysconfig.get_path("scripts") + os.sep
"""Where an installed package puts its commands: `whygrad` itself, `pytest`, `torchrun`."""


@once_for_each
def is_user(code: CodeType) -> bool:
    """Whether a code object is the user's own: not the standard library's, an installed package's or ours."""
    name = code.co_filename
    if name.startswith("<"):
        return not name.startswith(("<frozen", "<string>", "<__array_function__", "<eval_with_key", "<attrs", "<torch"))
    return is_own_file(name)


def is_own_file(name: str) -> bool:
    """Whether a file is the user's own: no library's, and no command that a package has installed."""
    full = os.path.abspath(name)  # noqa: PTH100 - resolving links would make a linked project look like a library
    if full.startswith(COMMANDS) and "." not in full[len(COMMANDS) :]:
        return False
    return not full.startswith(LIBRARIES) and not os.path.realpath(full).startswith(LIBRARIES)


def user_frame(frame: FrameType | None) -> FrameType | None:
    """The deepest frame from `frame` outwards that is the user's own."""
    while frame is not None and not is_user(frame.f_code):
        frame = frame.f_back
    return frame


def user_frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The user's own frames from `frame` outwards, as many as are kept."""
    found = 0
    while frame is not None and found < CALLERS:
        if is_user(frame.f_code):
            found += 1
            yield frame
        frame = frame.f_back


def trace(frame: FrameType | None) -> Trace | None:
    """The places from `frame` outwards; None where no frame is the user's own."""
    library: list[Point] = []
    while frame is not None and not is_user(frame.f_code):
        if len(library) < LIBRARY_FRAMES and not frame.f_code.co_filename.startswith(OURS):
            library.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    user = tuple((found.f_code, found.f_lasti) for found in user_frames(frame))
    return Trace(user, tuple(library)) if user else None


def returning(code: CodeType) -> Trace:
    """The place of a function's last `return`."""
    returns = [ins.offset for ins in dis.get_instructions(code) if ins.opname.startswith("RETURN_") and ins.opname != "RETURN_GENERATOR"]
    return Trace(((code, returns[-1] if returns else 0),), ())


def returns_nothing(code: CodeType) -> bool:
    """No `return` of a function hands anything back."""
    found = list(dis.get_instructions(code))
    ends = [
        (before, ins)
        for before, ins in pairwise([found[0], *found])
        if ins.opname.startswith("RETURN_") and ins.opname != "RETURN_GENERATOR"
    ]
    given = [ins if ins.opname == "RETURN_CONST" else before for before, ins in ends]
    return all(ins.opname in ("LOAD_CONST", "RETURN_CONST") and ins.argval is None for ins in given)


def line_of(point: Point) -> int:
    """The line of a place."""
    return _positions(point)[0]


def read_at(point: Point) -> frozenset[str]:
    """The variables that the call at a place reads on its lines."""
    first, last, _, _ = _positions(point)
    read = frozenset[str]()
    for ins in dis.get_instructions(point[0]):
        line = ins.positions.lineno if ins.positions is not None else None
        if line is not None and first <= line <= last and ins.opname.startswith(READING):
            read |= frozenset(ins.argval) if isinstance(ins.argval, tuple) else {str(ins.argval)}
    return read


def at_line(code: CodeType, line: int) -> Point:
    """The last call in a line of a function, or its first instruction there."""
    here = [ins for ins in dis.get_instructions(code) if ins.positions is not None and ins.positions.lineno == line]
    calls = [ins.offset for ins in here if ins.opname.startswith("CALL")]
    return code, calls[-1] if calls else here[0].offset if here else 0


def suspended(item: object) -> Trace | None:
    """The `yield` at which a generator of the user's own stands."""
    if not isinstance(item, GeneratorType) or item.gi_frame is None or not is_user(item.gi_code):
        return None
    return Trace(((item.gi_code, item.gi_frame.f_lasti),), ())


def caller_of(found: Trace) -> Trace | None:
    """The place that called the function of `found`, if that is the user's own."""
    return Trace(found.user[1:], ()) if len(found.user) > 1 else None


@lru_cache(maxsize=100_000)
def _positions(point: Point) -> tuple[int, int, int, int]:
    code, offset = point
    positions = list(code.co_positions())
    line, end_line, column, end_column = positions[offset // 2] if 0 <= offset // 2 < len(positions) else (None,) * 4
    if line is None:
        return code.co_firstlineno, 0, 0, 0
    columns = (column + 1, end_column + 1) if column is not None and end_column is not None else (0, 0)
    return line, end_line or line, *columns


def _frame(point: Point) -> Frame:
    return Frame(point[0].co_filename, _positions(point)[0], name_of(point[0]))


def name_of(code: CodeType) -> str:
    """The function as reports name it: `Net.forward`, "" at the top of a file."""
    return "" if code.co_name == "<module>" else code.co_qualname.replace("<locals>.", "")


class Sources:
    """Source lines as they were when first seen; a file that changes while the program runs gives no text."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.changed: set[str] = set()
        self._lines: dict[str, list[str]] = {}

    def line(self, file: str, number: int) -> str:
        """The text of one line, without its line end; "" where it can't be had or trusted."""
        if file not in self._lines:
            self._lines[file] = self._read(file)
        lines = self._lines[file]
        return lines[number - 1].rstrip("\r\n") if 0 < number <= len(lines) else ""

    def text(self, file: str) -> str:
        """The whole file; "" where it can't be had or trusted."""
        self.line(file, 1)
        return "".join(self._lines[file])

    def _read(self, file: str) -> list[str]:
        try:
            if os.stat(file).st_mtime > self.started:  # noqa: PTH116 - one call, on whatever string the code object holds
                self.changed.add(file)
                return []
        except OSError:
            pass  # a notebook cell, a zip file or `exec`: linecache may still know it
        return linecache.getlines(file)

    def only(self, file: str, pattern: str) -> Site | None:
        """The one line of a file that matches a pattern, with the columns of the match; None where there is none, or more than one."""
        self.line(file, 1)
        found = [(at, match) for at, text in enumerate(self._lines[file], 1) if (match := re.search(pattern, text.partition("#")[0]))]
        if len(found) != 1:
            return None
        line, match = found[0]
        return Site(file, line, line, match.start() + 1, match.end() + 1, text=self.line(file, line))

    def anywhere(self, pattern: str) -> Site | None:
        """The one line that matches among all files that places were shown from; None where there is none, or more than one."""
        found = [site for file in tuple(self._lines) if is_own_file(file) and (site := self.only(file, pattern)) is not None]
        return found[0] if len(found) == 1 else None

    def site(self, found: Trace | None) -> Site | None:
        """The place in full: the deepest user frame, its callers, the library below."""
        if found is None:
            return None
        code, _ = point = found.user[0]
        line, end_line, column, end_column = _positions(point)
        callers = tuple(self.frame(other) for other in found.user[1:])
        library = tuple(_frame(other) for other in reversed(found.library))
        text = self.line(code.co_filename, line)
        return Site(
            code.co_filename,
            line,
            end_line,
            _character(text, column),
            _character(text, end_column) if end_line == line else end_column,
            name_of(code),
            text,
            callers,
            library,
        )

    def frame(self, point: Point) -> Frame:
        """One of the user's own frames, with its line."""
        bare = _frame(point)
        return Frame(bare.file, bare.line, bare.function, self.line(bare.file, bare.line))

    def loop(self, point: Point) -> Site | None:
        """The innermost `for` around a place, its first line; None where there is none, or no source."""
        file, line = point[0].co_filename, _positions(point)[0]
        try:
            loops = [
                node
                for node in ast.walk(ast.parse(self.text(file)))
                if isinstance(node, ast.For) and node.body[0].lineno <= line <= (node.end_lineno or 0)
            ]
        except (SyntaxError, ValueError):
            return None
        return (
            Site(
                file,
                max(loop.lineno for loop in loops),
                function=name_of(point[0]),
                text=self.line(file, max(loop.lineno for loop in loops)),
            )
            if loops
            else None
        )

    def definition(self, code: CodeType) -> Site:
        """Where a function is defined."""
        return Site(code.co_filename, code.co_firstlineno, function=name_of(code), text=self.line(code.co_filename, code.co_firstlineno))


def _character(text: str, column: int) -> int:
    """Code positions count bytes of UTF-8; readers and editors count characters."""
    return column if column <= 0 or text.isascii() else len(text.encode()[: column - 1].decode(errors="ignore")) + 1


@once_for_each
def parameters_of(code: CodeType) -> tuple[str, ...]:
    """Names of a function's parameters, without `self`."""
    count = code.co_argcount + code.co_kwonlyargcount
    return tuple(name for name in code.co_varnames[:count] if name not in ("self", "cls"))


@once_for_each
def unread_parameters(code: CodeType) -> tuple[str, ...]:
    """Parameters that the function's code never loads."""
    loads = {
        ins.argval for ins in dis.get_instructions(code) if ins.opname.startswith(("LOAD_FAST", "LOAD_DEREF", "LOAD_CLOSURE", "MAKE_CELL"))
    }
    return tuple(name for name in parameters_of(code) if name not in loads)


@lru_cache(maxsize=1000)
def assigned_name(text: str) -> str:
    """The name on the left of a one-line assignment, `loss` for `loss = f(x)`; "" for anything else."""
    try:
        body = ast.parse(text.strip()).body
    except (SyntaxError, ValueError):
        return ""
    if len(body) == 1 and isinstance(body[0], ast.Assign | ast.AnnAssign | ast.AugAssign):
        target = body[0].targets[0] if isinstance(body[0], ast.Assign) else body[0].target
        return ast.unparse(target) if isinstance(target, ast.Name | ast.Attribute) else ""
    return ""
