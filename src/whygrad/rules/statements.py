"""A line of the user's as a tree, for rules that read what stands at a place."""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from whygrad.ir import Site


@lru_cache(maxsize=10_000)  # a line of the user's runs in many ops
def statements(text: str) -> tuple[ast.stmt, ...]:
    """The statements of a line; none where it says nothing by itself: a part of a longer one, or what opens a block."""
    try:
        return tuple(ast.parse(text.strip()).body)
    except (SyntaxError, ValueError):
        return ()


_BOUND = re.compile(r"\s*((?:self\.)?[A-Za-z_][\w.]*)\s*(?::[^=]+)?=(?!=)")


def bound(site: Site | None) -> str:
    """The name or attribute that a line gives its value, which may go on in further lines: `loss`, `self.scale`; "" where it gives none."""
    found = _BOUND.match(site.text) if site is not None else None
    return found[1] if found is not None else ""


def calls_in(text: str) -> Iterator[ast.Call]:
    """The calls of a line, outer ones first."""
    return (node for statement in statements(text) for node in ast.walk(statement) if isinstance(node, ast.Call))


def stands_alone(site: Site | None) -> bool:
    """The op is the whole of a statement that has nothing on its left; in a notebook that would show the result."""
    if site is None or not site.text or site.file.startswith("<") or "ipykernel" in site.file or (site.end_line or site.line) != site.line:
        return False
    body = statements(site.text)
    if len(body) != 1 or not isinstance(body[0], ast.Expr) or isinstance(body[0].value, ast.Await | ast.Yield | ast.Constant):
        return False
    indent = len(site.text) - len(site.text.lstrip())
    width = body[0].value.end_col_offset or 0
    return site.column == indent + 1 and site.end_column == indent + width + 1 and not _inside_brackets(site.text)


def _inside_brackets(text: str) -> bool:
    """A line of a longer expression ends with a comma or opens what it does not close."""
    bare = text.partition("#")[0].rstrip()
    return bare.endswith((",", "(", "[", "{", "\\"))
