"""Where it is decided which parameters an optimizer of JAX's trains: the tree, or the function, that a part which chooses among them is given."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from whygrad.frontends.origins.program import Program, Scope, Spot, last_name
from whygrad.frontends.origins.trails import Trail
from whygrad.ir import Site

CHOOSING: Final = frozenset(("multi_transform", "partition", "masked", "selective_transform", "freeze"))
"""Functions of optax' whose second argument says of each parameter what becomes of it; `freeze` is given it alone."""
REBUILDING: Final = frozenset(("unflatten_dict", "tree_unflatten", "unflatten", "FrozenDict", "from_flat_state"))
"""Functions that put a tree together of leaves; these come last."""
_WORDS: Final = frozenset(("param_labels", "mask", "freeze_mask"))


def chosen_at(program: Program, made: Site) -> Site | None:
    """What the argument that chooses was made by, if that is on another line than the call."""
    call = program.call_at(made)
    if call is None or not isinstance(call.node, ast.Call) or last_name(call.node.func) not in CHOOSING:
        return None
    site = next((program.site(at) for given in _given(call) for at in _decided(program, given)), None)
    return site if site is not None and site.line_of_code != made.line_of_code else None


def _given(call: Spot) -> Iterator[Spot]:
    node = call.node
    assert isinstance(node, ast.Call)
    arguments = [item.value for item in node.keywords if item.arg in _WORDS]
    arguments += node.args[: 1 if last_name(node.func) == "freeze" else 2][-1:] if not arguments else []
    return (replace(call, node=item) for item in arguments)


def _decided(program: Program, given: Spot) -> Iterator[Spot]:
    """The first expression on the way back that is no mere name; of a function that is asked about each parameter, what it answers."""
    for at, step in Trail(program).steps(given):
        inner = at.node.args if isinstance(at.node, ast.Call) else []
        answered = next(filter(None, (_answered(program, replace(at, node=item)) for item in (at.node, *inner))), None)
        if answered is not None:
            yield from [answered] if isinstance(answered.node, ast.Lambda) else _decided(program, answered)
            return
        leaves = _rebuilt(at.node)
        if leaves is not None:
            yield from _decided(program, replace(at, node=leaves))
            return
        own = isinstance(at.node, ast.Call) and step.onward is not None and program.function(at.scope, at.node.func) is not None
        if not own and not isinstance(at.node, ast.Name):
            yield at
            return


def _rebuilt(node: ast.AST) -> ast.expr | None:
    """What a tree is made of again that was taken apart before: its leaves were decided there."""
    if not isinstance(node, ast.Call) or last_name(node.func) not in REBUILDING:
        return None
    return next((item for item in reversed(node.args) if isinstance(item, ast.Name)), None)


def _answered(program: Program, at: Spot) -> Spot | None:
    """A lambda, or what a function of the program's hands back last."""
    if isinstance(at.node, ast.Lambda):
        return at
    found = program.function(at.scope, at.node) if isinstance(at.node, ast.Name) else None
    if found is None or isinstance(found[1], ast.ClassDef):
        return None
    returns = [node.value for node in ast.walk(found[1]) if isinstance(node, ast.Return) and node.value is not None]
    return Spot(returns[-1], Scope(found[0].module, found[1], outer=found[0])) if returns else None
