"""Where an optimizer that the program defines itself writes to its parameters."""

import ast
import inspect
from collections.abc import Iterator
from types import CodeType
from typing import Any

from torch.optim import Optimizer

from whygrad.frontends.source import Sources, is_user
from whygrad.ir import Site


def writing_site(optimizer: Optimizer, sources: Sources) -> Site | None:
    """The last place in its `step` that changes what a loop over its parameters names; None where the step is a library's, or does it elsewhere."""
    code = getattr(inspect.unwrap(type(optimizer).step), "__code__", None)
    if not isinstance(code, CodeType) or not is_user(code):
        return None
    function = _function(sources.text(code.co_filename), code)
    last = max(_writes(function), key=lambda node: node.lineno, default=None) if function is not None else None
    if last is None:
        return None
    line = sources.line(code.co_filename, last.lineno)
    return Site(
        code.co_filename,
        last.lineno,
        last.end_lineno or last.lineno,
        last.col_offset + 1,
        (last.end_col_offset or 0) + 1,
        code.co_qualname.replace("<locals>.", ""),
        line,
    )


def _function(text: str, code: CodeType) -> ast.FunctionDef | None:
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError):
        return None
    named = (node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == code.co_name)
    return next((node for node in named if min(node.lineno, *(item.lineno for item in node.decorator_list)) == code.co_firstlineno), None)


def _writes(function: ast.FunctionDef) -> Iterator[ast.expr | ast.stmt]:
    """Calls that work in place and assignments, on what a loop over `params` is called."""
    names = {
        loop.target.id
        for loop in ast.walk(function)
        if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name) and _parameters(loop.iter)
    }
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr=called)) if called.endswith("_") and not called.endswith("__"):
                changed: Any = value
            case ast.AugAssign(target=target) | ast.Assign(targets=[ast.Attribute(attr="data") as target]):
                changed = target
            case _:
                continue
        if _base(changed) in names:
            yield node


def _parameters(iterated: ast.expr) -> bool:
    """`group["params"]`, and what a function makes of it."""
    return any(isinstance(node, ast.Constant) and node.value == "params" for node in ast.walk(iterated))


def _base(node: ast.expr) -> str:
    """The name of `p` in `p` and `p.data`; not in `p.grad`."""
    inner = node.value if isinstance(node, ast.Attribute) and node.attr == "data" else node
    return inner.id if isinstance(inner, ast.Name) else ""
