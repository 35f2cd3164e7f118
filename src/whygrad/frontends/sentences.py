"""What a statement makes of a number by arithmetic alone, and what a condition decides by it: read from the source, computed from numbers."""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Numbers = Mapping[tuple[str, str], float]

_SUMS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip
_SIGNS: Mapping[type, Callable[[Any, Any], Any]] = {ast.USub: lambda value, _: -value, ast.Not: lambda value, _: not value}
_TESTS: Mapping[type, Callable[[Any, Any], bool]] = {
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Uses:
    """How one statement uses one number."""

    written: str = ""
    """`self.alignment`."""
    values: tuple[float, ...] = ()
    """The number, and what arithmetic of numbers alone makes of it there."""
    column: int = 0
    """Where it stands, counted from 1."""
    test: str = ""
    """The condition that it decides, if it is decided otherwise now."""


def uses(lines: Sequence[str], line: int, key: tuple[str, str], was: Numbers, now: Numbers) -> Uses:
    """What the innermost statement at a line makes of a number."""
    statement = next(_around(_parsed("".join(lines)), line), None)
    nodes = [node for part in _own(statement) for node in ast.walk(part)] if statement is not None else []
    reads = [node for node in nodes if isinstance(node, ast.expr) and _key(node) == key]
    if not reads:
        return Uses()
    values = [value for node in nodes if isinstance(node, ast.expr) and _holds(node, reads) and (value := _value(node, was)) is not None]
    return Uses(
        ast.unparse(reads[0]),
        tuple(float(value) for value in values if not isinstance(value, bool)),
        reads[0].col_offset + 1,
        _flipped(statement, nodes, reads, was, now),
    )


@lru_cache(maxsize=32)
def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError:
        return ast.Module([], [])


def _around(module: ast.Module, line: int) -> Iterator[ast.stmt]:
    """The statements around a line, innermost first."""
    found = [node for node in ast.walk(module) if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)]
    yield from sorted(found, key=lambda node: ((node.end_lineno or node.lineno) - node.lineno, -node.lineno))


def _own(statement: ast.stmt) -> list[ast.AST]:
    """What a statement says itself, without those in its body."""
    return [part for part in ast.iter_child_nodes(statement) if not isinstance(part, ast.stmt)]


def _key(node: ast.AST) -> tuple[str, str] | None:
    """The variable and the attribute or entry that an expression reads."""
    match node:
        case ast.Attribute(ast.Name() | ast.Attribute() as owner, attribute, ast.Load()) if way := _way(owner):
            return way, attribute
        case ast.Subscript(ast.Name() | ast.Attribute() as owner, ast.Constant(str(entry)), ast.Load()) if way := _way(owner):
            return way, entry
        case ast.Name(name, ast.Load()):
            return name, ""
        case _:
            return None


def _way(node: ast.expr) -> str:
    """`self.optimizer`: a variable, or an attribute of one."""
    match node:
        case ast.Name(name):
            return name
        case ast.Attribute(owner, attribute):
            return f"{way}.{attribute}" if (way := _way(owner)) else ""
        case _:
            return ""


def _holds(node: ast.AST, reads: Sequence[ast.AST]) -> bool:
    return any(part is read for part in ast.walk(node) for read in reads)


def _flipped(statement: ast.stmt | None, nodes: Sequence[ast.AST], reads: Sequence[ast.AST], was: Numbers, now: Numbers) -> str:
    """The condition of a statement or of an expression in it that these numbers alone decide, and decide otherwise by now."""
    tests = [node.test for node in (statement, *nodes) if isinstance(node, ast.IfExp) or (isinstance(node, ast.If) and _makes(node))]
    for test in tests:
        before, after = _value(test, was), _value(test, now)
        if _holds(test, reads) and before is not None and after is not None and bool(before) != bool(after):
            return ast.unparse(test)
    return ""


def _makes(choice: ast.If) -> bool:
    """It decides what is made, not only what is printed."""
    return any(
        isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return)
        for part in (*choice.body, *choice.orelse)
        for node in ast.walk(part)
    )


def _value(node: ast.AST, numbers: Numbers) -> Any:
    """What an expression of numbers alone comes to; None where there is anything else in it."""
    key = _key(node)
    if key is not None:
        return numbers.get(key)
    match node:
        case ast.Constant(int() | float() as value):
            return value
        case ast.UnaryOp(sign, operand):
            return _of_two(_SIGNS.get(type(sign)), _value(operand, numbers), 0)
        case ast.BinOp(left, sign, right):
            return _of_two(_SUMS.get(type(sign)), _value(left, numbers), _value(right, numbers))
        case ast.Compare(left, [sign], [right]):
            return _of_two(_TESTS.get(type(sign)), _value(left, numbers), _value(right, numbers))
        case _:
            return None


def _of_two(rule: Callable[[Any, Any], Any] | None, left: Any, right: Any) -> Any:
    if rule is None or left is None or right is None:
        return None
    try:
        return rule(left, right)
    except (ArithmeticError, ValueError):
        return None
