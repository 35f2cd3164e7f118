"""Expressions and arguments as they are written at a place of the user's source."""

import ast
from functools import cache

from whygrad.ir import Site

LONGEST = 40
"""Characters of an expression that stand for the name of a value without one."""
_NAMES = ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.BinOp | ast.UnaryOp
"""Kinds of expression that call a value something; a number or a list does not."""


def expression_at(site: Site | None) -> str:
    """The expression at a place, where it stands on one line; "" else."""
    if site is None or site.line != site.end_line or not 0 < site.column < site.end_column:
        return ""
    return site.text[site.column - 1 : site.end_column - 1]


@cache
def argument_at(site: Site | None, number: int, keywords: tuple[str, ...] = ()) -> str:
    """An argument of the call that stands at a place, by position or else by one of its keywords; "" where there is none, or it is too long for a name."""
    text = expression_at(site)
    try:
        call = ast.parse(text, mode="eval").body if text else None
    except (SyntaxError, ValueError):
        return ""
    if not isinstance(call, ast.Call) or any(isinstance(part, ast.Starred) for part in call.args[: number + 1]):
        return ""
    plain = call.args[number] if number < len(call.args) else None
    found = plain or next((part.value for part in call.keywords if part.arg in keywords), None)
    written = ast.unparse(found) if isinstance(found, _NAMES) else ""
    return written if len(written) <= LONGEST else ""
