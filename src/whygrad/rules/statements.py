"""A line of the user's as a tree, for rules that read what stands at a place."""

import ast
from collections.abc import Iterator
from functools import lru_cache


@lru_cache(maxsize=10_000)  # a line of the user's runs in many ops
def statements(text: str) -> tuple[ast.stmt, ...]:
    """The statements of a line; none where it says nothing by itself: a part of a longer one, or what opens a block."""
    try:
        return tuple(ast.parse(text.strip()).body)
    except (SyntaxError, ValueError):
        return ()


def calls_in(text: str) -> Iterator[ast.Call]:
    """The calls of a line, outer ones first."""
    return (node for statement in statements(text) for node in ast.walk(statement) if isinstance(node, ast.Call))
