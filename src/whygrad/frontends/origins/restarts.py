"""Batches that are the same at each step: from an iterator that is begun anew, `next(iter(loader))`, or by rows that a function draws as it is traced."""

import ast
from collections.abc import Iterator

from whygrad.frontends.origins.program import Program, Scope, Spot, last_name
from whygrad.frontends.origins.trails import Trail
from whygrad.ir import Site

ROWS = frozenset(("choice", "permutation", "randint", "integers", "sample", "choices", "random_integers", "randrange"))
"""Methods of NumPy's and Python's generators that draw rows."""


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


def drawn_within(program: Program, site: Site) -> Iterator[Spot]:
    """The call that drew the rows which are picked at a line, where it stands in the very function that picks them."""
    scope = program.scope_at(site.file, site.line, site.callers)
    picks = ast.walk(scope.node) if scope is not None and scope.node is not scope.module.tree else ()
    for node in picks:
        if isinstance(node, ast.Subscript) and node.lineno == site.line and scope is not None:
            for at, _ in Trail(program).steps(Spot(node.slice, scope, before=site.line)):
                if isinstance(at.node, ast.Call) and last_name(at.node.func) in ROWS and at.scope.node is scope.node:
                    yield at
                    return
