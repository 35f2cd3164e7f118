"""Places that no running frame shows: an argument of a call, the assignment that a variable got its value from."""

import ast
import linecache
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from types import CodeType

from whygrad.frontends.source import Sources, Trace, name_of
from whygrad.ir import Site

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Module

MOST_BEHIND = 8
"""Assignments that are followed back: few steps lie between a tensor and the array that was made of it."""


@lru_cache(maxsize=32)
def _tree(file: str) -> ast.Module | None:
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return None


def call_at(site: Site | None) -> ast.Call | None:
    """The call that stands at a place."""
    tree = _tree(site.file) if site is not None else None
    if tree is None or site is None:
        return None
    for node in ast.walk(tree):
        here = isinstance(node, ast.Call) and (node.lineno, node.end_lineno, node.col_offset + 1) == (site.line, site.end_line, site.column)
        if here and isinstance(node, ast.Call):
            return node
    return None


def argument(call: ast.Call | None, name: str, position: int) -> ast.expr | None:
    """The expression given for one parameter."""
    if call is None:
        return None
    found = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    plain = len(call.args) > position and not any(isinstance(item, ast.Starred) for item in call.args[: position + 1])
    return found if found is not None else call.args[position] if plain else None


def of_argument(sources: Sources, trace: Trace | None, name: str, position: int) -> Site | None:
    """Where an argument of a call stands; the call itself where it can't be told."""
    site = sources.site(trace)
    found = argument(call_at(site), name, position)
    if site is None or found is None:
        return site
    last = found.end_lineno or found.lineno
    text = sources.line(site.file, found.lineno)
    return replace(
        site, line=found.lineno, end_line=last, column=found.col_offset + 1, end_column=(found.end_col_offset or 0) + 1, text=text
    )


def listed(sources: Sources, trace: Trace | None) -> Site | None:
    """Where the variables stand that a call of `GradientTape.gradient` is asked about: in the call, or in the assignment of the variable that it names."""
    site = sources.site(trace)
    found = argument(call_at(site), "sources", 1)
    if site is None or trace is None or not isinstance(found, ast.Name):
        return of_argument(sources, trace, "sources", 1)
    return assigned_at(sources, trace.user[0][0], found.id, site.line) or site


def spelled(site: Site | None, name: str, position: int) -> str:
    """How the program spells an argument: `y_train`; "" where it is no short expression."""
    found = argument(call_at(site), name, position)
    text = ast.unparse(found) if found is not None else ""
    return text if len(text) <= 40 else ""  # noqa: PLR2004 - longer ones say less than their line


def assigned_at(sources: Sources, code: CodeType, name: str, before: int) -> Site | None:
    """The last assignment to a variable above a line of the same function."""
    tree = _tree(code.co_filename)
    owner = _owner(tree, code) if tree is not None else None
    lines = [node for node in _assignments(owner, name) if node.lineno < before] if owner is not None else []
    if not lines:
        return None
    node = max(lines, key=lambda item: item.lineno)
    file, function = code.co_filename, name_of(code)
    end = (node.end_col_offset or 0) + 1 if node.end_lineno == node.lineno else 0
    return Site(file, node.lineno, node.end_lineno or node.lineno, node.col_offset + 1, end, function, sources.line(file, node.lineno))


def behind(code: CodeType, name: str, before: int) -> tuple[tuple[int, int], ...]:
    """The assignments that went into what a variable holds at a line of a function, the last one first: first and last line of each."""
    tree = _tree(code.co_filename)
    owner = _owner(tree, code) if tree is not None else None
    found: list[tuple[int, int]] = []
    waiting = [(name, before)] if owner is not None else []
    while waiting and len(found) < MOST_BEHIND:
        wanted, line = waiting.pop(0)
        node = max((one for one in _assignments(owner, wanted) if one.lineno < line), key=lambda one: one.lineno, default=None)  # type: ignore[arg-type]  # there is one, or nothing waits
        if node is None or node.value is None or (node.lineno, node.end_lineno or node.lineno) in found:
            continue
        found.append((node.lineno, node.end_lineno or node.lineno))
        read = [part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)]
        waiting += [(each, node.lineno) for each in (*read, *((wanted,) if isinstance(node, ast.AugAssign) else ()))]
    return tuple(found)


def _owner(tree: ast.Module, code: CodeType) -> Function | None:
    if code.co_name == "<module>":
        return tree
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            if first == code.co_firstlineno:
                return node
    return None


def _assignments(owner: Function, name: str) -> Iterator[ast.Assign | ast.AnnAssign | ast.AugAssign]:
    for node in _own(owner):
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign | ast.AugAssign):
            targets = [node.target]
        else:
            continue
        if any(isinstance(part, ast.Name) and part.id == name for target in targets for part in ast.walk(target)):
            yield node


def _own(owner: Function) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    waiting: list[ast.AST] = list(owner.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))
