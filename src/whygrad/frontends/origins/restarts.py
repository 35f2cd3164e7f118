"""Batches that are the same at each step: from an iterator that is begun anew, `next(iter(loader))`, or by rows that a function draws as it is traced."""

import ast
from collections.abc import Iterator
from dataclasses import replace

from whygrad.frontends.origins.program import Program, Scope, Spot, last_name
from whygrad.frontends.origins.trails import Trail
from whygrad.ir import Site

ROWS = frozenset(("choice", "permutation", "randint", "integers", "sample", "choices", "random_integers", "randrange"))
"""Methods of NumPy's and Python's generators that draw rows."""

SOME = ROWS - {"permutation"}
"""Of these, the ones that draw some of all rows."""
GENERATORS = frozenset(("default_rng", "RandomState", "Random"))


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


def seeded_anew(program: Program, spots: Iterator[Spot]) -> Iterator[Spot]:
    """The generator that draws a value's rows, where it is made with its seed in the function that draws, and this is called in a loop."""
    for spot in spots:
        called = False
        for at, _ in Trail(program).steps(spot):
            called = called or (isinstance(at.node, ast.Call) and _repeated(at.scope, at.node))
            made = _generator(program, at) if called and isinstance(at.node, ast.Subscript) else None
            if made is not None:
                yield made
                return


def _generator(program: Program, picked: Spot) -> Spot | None:
    """What makes the generator of the rows that are picked here, in the same function."""
    assert isinstance(picked.node, ast.Subscript)
    for at, _ in Trail(program).steps(replace(picked, node=picked.node.slice, path=())):
        draws = isinstance(at.node, ast.Call) and isinstance(at.node.func, ast.Attribute) and at.node.func.attr in SOME
        for made, _ in Trail(program).steps(replace(at, node=at.node.func.value, path=())) if draws else ():  # type: ignore[attr-defined]  # a call of a method
            if isinstance(made.node, ast.Call) and last_name(made.node.func) in GENERATORS and made.node.args:
                inside = made.scope.node is picked.scope.node is not picked.scope.module.tree
                return made if inside and _fixed(program, replace(made, node=made.node.args[0], path=())) else None
    return None


def _fixed(program: Program, spot: Spot) -> bool:
    """A literal, wherever it stands: a number that is reckoned, or that a loop counts, may be another one at each call."""
    nodes = [at.node for at, _ in Trail(program).steps(spot)]
    reckoned = any(isinstance(node, ast.BinOp | ast.Call | ast.IfExp | ast.Subscript) for node in nodes)
    return bool(nodes) and isinstance(nodes[-1], ast.Constant | ast.Attribute) and not reckoned


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
