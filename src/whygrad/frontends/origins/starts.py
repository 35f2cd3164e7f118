"""Where parameters that are all one number get it, when their first numbers come from a function of the program's."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from whygrad.frontends.origins.calls import own_nodes
from whygrad.frontends.origins.program import Program, Spot, last_name
from whygrad.frontends.origins.trails import Trail
from whygrad.ir import Site

FILLING: Final = frozenset(("zeros", "ones", "full", "fill", "constant", "zeros_like", "ones_like", "full_like"))
"""Calls that make a tensor or an array of one number."""


def filled_places(program: Program, made: Spot, name: str) -> Iterator[Site]:
    """The call that fills a parameter, in the function that gives it its first numbers; none where that function has several."""
    own = _assigned(program, made, name)
    if own is not None and any(isinstance(node, ast.Call) and _is_fill(node) for node in ast.walk(own.node)):
        yield program.site(own)
        return
    call = own or made
    given = call.node.args[:1] if isinstance(call.node, ast.Call) else []
    for first in given:
        for at, _ in Trail(program).steps(replace(call, node=first)):
            found = tuple(_fills(program, at))
            if len(found) == 1:
                yield program.site(*found[0])
                return


def _assigned(program: Program, made: Spot, name: str) -> Spot | None:
    """What a module's constructor makes a parameter of; the record knows no more than where modules begin."""
    if not isinstance(made.node, ast.Call) or last_name(made.node.func) != "__init__":
        return None
    bound = program.bindings(made.scope.node).get(f"self.{name.rpartition('.')[2]}", [])
    return Spot(bound[0].value, made.scope, before=bound[0].line) if len(bound) == 1 else None


def _fills(program: Program, at: Spot) -> Iterator[tuple[Spot, ast.AST]]:
    """What fills, among all that a called function may return: which of them it was, the numbers themselves have said."""
    known = program.function(at.scope, at.node.func) if isinstance(at.node, ast.Call) else None
    if known is None or isinstance(known[1], ast.ClassDef):
        return
    for item in own_nodes(known[1]):
        if isinstance(item, ast.Return) and item.value is not None:
            fill = next((node for node in ast.walk(item.value) if isinstance(node, ast.Call) and _is_fill(node)), None)
            if fill is not None:
                yield Spot(fill, replace(known[0], node=known[1])), fill


def _is_fill(node: ast.Call) -> bool:
    """A call that fills; `constant` may also be given numbers that were drawn."""
    return last_name(node.func) in FILLING and not (node.args and last_name(node.func) == "constant" and isinstance(node.args[0], ast.Call))
