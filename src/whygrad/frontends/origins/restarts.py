"""Batches that a program takes from an iterator which it begins anew each time: `next(iter(loader))` within the loop."""

import ast
from collections.abc import Iterator

from whygrad.frontends.origins.program import Program, Scope, Spot, last_name
from whygrad.frontends.origins.trails import Trail


def begun_anew(program: Program, spots: Iterator[Spot]) -> Iterator[Spot]:
    """The `next` that a value comes from, where its iterator is made in the very call, within a loop."""
    for spot in spots:
        for at, _ in Trail(program).steps(spot):
            if _takes_first(at.node) and _repeated(at.scope, at.node):
                yield at
                return


def _takes_first(node: ast.expr) -> bool:
    """`next` of what a call makes: an iterator that nobody holds."""
    return isinstance(node, ast.Call) and last_name(node.func) == "next" and bool(node.args) and isinstance(node.args[0], ast.Call)


def _repeated(scope: Scope, node: ast.expr) -> bool:
    """Within a loop of its function."""
    loops = (found for found in ast.walk(scope.node) if isinstance(found, ast.For | ast.While))
    return any(inner is node for loop in loops for part in loop.body for inner in ast.walk(part))
