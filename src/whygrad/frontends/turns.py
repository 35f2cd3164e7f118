"""Iterators that were made before a loop and are read anew in each of its turns: the first turn empties them. Shared by all front ends; imports no framework."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, starmap, zip_longest
from types import FrameType, GeneratorType
from typing import Any

from whygrad.frontends.source import CALLERS, Sources, is_user
from whygrad.ir import Emptied, Site

_BUILT_IN: tuple[object, ...] = (iter([]), iter(()), iter({}), iter(set()), iter(range(0)), iter(""))
ONCE: tuple[type, ...] = (
    GeneratorType,
    zip,
    map,
    filter,
    enumerate,
    reversed,
    chain,
    islice,
    starmap,
    zip_longest,
    *map(type, _BUILT_IN),
)
"""Types that give their items once and have an end, so that a second loop over one makes no turn."""
PASSING = frozenset(("enumerate", "tqdm", "trange", "track"))
"""Calls that go through all that their first argument gives."""
LEAVING = (ast.Break, ast.Return, ast.Raise)


@dataclass(frozen=True, slots=True)
class Frames:
    """One frame of the user's with its function in the source."""

    frame: FrameType
    scope: ast.AST


@dataclass(slots=True)
class Candidate:
    """A loop over what gives its items once, within the turns of another loop."""

    found: Emptied
    code: object
    """Of the function with the outer loop."""
    target: str
    """What the outer loop counts its turns by."""
    turn: object = None
    later: bool = False
    """A step was made in another turn than the first."""


class Turns:
    """Watches the loops around the steps of one program."""

    def __init__(self, sources: Sources, once: tuple[type, ...] = ()) -> None:
        self.sources = sources
        self.once = (*ONCE, *once)
        """With the framework's own."""
        self.candidate: Candidate | None = None
        self._looked = False
        self._trees: dict[str, ast.Module | None] = {}

    def look(self, frame: FrameType) -> None:
        """A step is made: at the first one find the loops, at each later one see whether it lies in the same turn."""
        candidate = self.candidate
        if not self._looked:
            self._looked = True
            self.candidate = self._find(frame)
        elif candidate is not None and not candidate.later:
            outer: FrameType | None = frame
            while outer is not None and outer.f_code is not candidate.code:
                outer = outer.f_back
            candidate.later = outer is None or outer.f_locals.get(candidate.target) is not candidate.turn

    def emptied(self) -> tuple[Emptied, ...]:
        """What was found, where no step was made in a later turn."""
        return (self.candidate.found,) if self.candidate is not None and not self.candidate.later else ()

    def _find(self, frame: FrameType) -> Candidate | None:
        frames = list(self._frames(frame))
        for at, inner in enumerate(frames):
            for loop in loops_around(inner):
                held = passed_through(loop.iter)
                item = look_up(inner.frame, held) if held else None
                if isinstance(item, self.once) and quiet(loop):
                    return self._around(frames[at:], loop, item)
        return None

    def _around(self, frames: list[Frames], inner: ast.For, item: Any) -> Candidate | None:
        """The nearest loop of several turns around a loop, in its own function or a caller's, before which the iterator was made."""
        for outer in frames:
            for loop in loops_around(outer):
                turns = length(loop.iter, outer.frame)
                name = next((name for name, value in outer.frame.f_locals.items() if value is item), "")
                if loop is inner or turns is None or turns < 2 or not name:  # noqa: PLR2004 - one turn empties it rightly
                    continue
                made = made_before(outer.scope, loop, name)
                if not isinstance(loop.target, ast.Name) or made is None or not quiet(loop):
                    return None
                found = Emptied(
                    name,
                    shown_type(item),
                    turns,
                    self._site(outer, made),
                    self._site(outer, loop),
                    self._site(outer, loop.body[0]),
                    self._site(frames[0], inner),
                )
                return Candidate(found, outer.frame.f_code, loop.target.id, outer.frame.f_locals.get(loop.target.id))
        return None

    def _frames(self, frame: FrameType | None) -> Iterator[Frames]:
        """The user's frames from the deepest one outwards, as far as their source is known."""
        seen = 0
        while frame is not None and seen < CALLERS:
            if is_user(frame.f_code):
                seen += 1
                scope = self._scope(frame)
                if scope is None:
                    return
                yield Frames(frame, scope)
            frame = frame.f_back

    def _scope(self, frame: FrameType) -> ast.AST | None:
        """The function that a frame runs, or the module."""
        file = frame.f_code.co_filename
        if file not in self._trees:
            try:
                text = self.sources.text(file)
                self._trees[file] = ast.parse(text) if text else None
            except (SyntaxError, ValueError, RecursionError):
                self._trees[file] = None
        tree = self._trees[file]
        if tree is None or frame.f_code.co_name == "<module>":
            return tree
        functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == frame.f_code.co_name)
        return next((node for node in functions if first_line(node) == frame.f_code.co_firstlineno), None)

    def _site(self, at: Frames, node: ast.stmt) -> Site:
        file = at.frame.f_code.co_filename
        text = self.sources.line(file, node.lineno)
        end = node.iter if isinstance(node, ast.For) else node
        one_line = end.end_lineno == node.lineno
        return Site(
            file,
            node.lineno,
            end.end_lineno or node.lineno,
            len(text.encode()[: node.col_offset].decode(errors="ignore")) + 1,
            len(text.encode()[: end.end_col_offset or 0].decode(errors="ignore")) + 1 if one_line else 0,
            getattr(at.scope, "name", ""),
            text,
        )


def shown_type(item: object) -> str:
    """What a user would call it."""
    known = isinstance(item, GeneratorType | zip | map | filter | enumerate)
    return type(item).__name__ if known else "iterator"


def first_line(node: ast.FunctionDef) -> int:
    """Where a function begins, with its decorators."""
    return min(node.lineno, *(item.lineno for item in node.decorator_list)) if node.decorator_list else node.lineno


def own(node: ast.AST) -> Iterator[ast.AST]:
    """What is written below a node, without functions and classes that are defined there."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from own(child)


def loops_around(at: Frames) -> list[ast.For]:
    """The `for` loops around the running line of a frame, the innermost first."""
    line = at.frame.f_lineno
    found = [node for node in own(at.scope) if isinstance(node, ast.For) and node.body[0].lineno <= line <= (node.body[-1].end_lineno or 0)]
    return sorted(found, key=lambda node: -node.lineno)


def quiet(loop: ast.For) -> bool:
    """The loop is left at its end alone. An exit of the whole program counts as leaving it."""
    for node in own(loop):
        inner = isinstance(node, ast.Break) and any(node in own(other) for other in own(loop) if isinstance(other, ast.For | ast.While))
        called = node.func if isinstance(node, ast.Call) else None
        exits = called is not None and getattr(called, "attr", getattr(called, "id", "")) in ("exit", "_exit", "quit")
        if exits or (isinstance(node, LEAVING) and not inner):
            return False
    return True


def passed_through(node: ast.expr) -> str:
    """The variable that a loop goes through to its end; "" where it reads something else."""
    if isinstance(node, ast.Call) and node.args and getattr(node.func, "attr", getattr(node.func, "id", "")) in PASSING:
        return passed_through(node.args[0])
    return node.id if isinstance(node, ast.Name) else ""


def made_before(scope: ast.AST, loop: ast.For, name: str) -> ast.Assign | None:
    """The one assignment that gives a variable its value, if it stands before the loop."""
    kept = [node for node in own(scope) if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)]
    declared = any(name in node.names for node in ast.walk(scope) if isinstance(node, ast.Global | ast.Nonlocal))
    made = [
        node for node in own(scope) if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
    ]
    return made[0] if len(kept) == len(made) == 1 and not declared and made[0].lineno < loop.lineno else None


def look_up(frame: FrameType, name: str) -> Any:
    """What a variable holds in a frame."""
    return frame.f_locals[name] if name in frame.f_locals else frame.f_globals.get(name)


def length(node: ast.expr, frame: FrameType) -> int | None:
    """How many turns a loop over this makes; None where that can't be told without running anything."""
    name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
    if isinstance(node, ast.Call) and name in ("range", "trange"):
        numbers = [number(arg, frame) for arg in node.args]
        whole = [item for item in numbers if isinstance(item, int)]
        return len(range(*whole)) if len(whole) == len(numbers) and whole else None
    if isinstance(node, ast.Call) and name in PASSING and node.args:
        return length(node.args[0], frame)
    held = number(node, frame) if isinstance(node, ast.Name | ast.Attribute) else None
    return len(held) if isinstance(held, list | tuple | range) else None


def number(node: ast.expr, frame: FrameType) -> Any:
    """What a literal, a variable, a plain attribute or a sum of such is; None for all else."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return look_up(frame, node.id)
    if isinstance(node, ast.Attribute):
        owner = number(node.value, frame)
        return getattr(owner, "__dict__", {}).get(node.attr)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        left, right = number(node.left, frame), number(node.right, frame)
        if isinstance(left, int) and isinstance(right, int):
            return left + right if isinstance(node.op, ast.Add) else left - right
    return None
