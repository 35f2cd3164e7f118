"""Where a program turns a gradient round, or adds what it should take off: looked for where every update goes uphill."""

import ast
from collections.abc import Collection, Iterator

from whygrad.frontends.origins.program import Module, Program, Spot, last_name
from whygrad.ir import Origin, Record, Site

MAPPING = ("map", "tree_map", "tree_multimap")
"""Functions that do the same with every leaf of a tree."""
UPHILL = 0.3
"""Cosine of an update with its gradient from which WG215 speaks."""


def uphill(program: Program, record: Record) -> Iterator[Origin]:
    """Of a run whose recorded updates all go uphill: the one place that has the wrong sign; nothing where there are several."""
    known = [p.along for step in record.steps for p in step.parameters if p.along is not None]
    if not known or not min(known) >= UPHILL:
        return
    found = [site for module in program.user_modules("grad") for site in _places(program, module)]
    if len(found) == 1:
        yield Origin(setting="turned", site=found[0])


def _places(program: Program, module: Module) -> Iterator[Site]:
    """What has the wrong sign: `-g`, what is added to parameters, or the setting that leaves the sign as it is."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.keyword) and node.arg == "flip_sign" and isinstance(node.value, ast.Constant) and node.value.value is False:
            yield program.site(Spot(node.value, program.top(module)))
        elif isinstance(node, ast.Call) and last_name(node.func) in MAPPING and node.args and isinstance(node.args[0], ast.Lambda):
            wrong = _wrong(program, module, node, node.args[0])
            if wrong is not None:
                yield program.site(Spot(wrong, program.top(module)))
        elif isinstance(node, ast.ListComp | ast.GeneratorExp) and _turns(node.elt, {last_name(item.target) for item in node.generators}):
            yield program.site(Spot(node.elt, program.top(module)))


def _turns(result: ast.expr, names: Collection[str]) -> bool:
    """`-g` of one of these."""
    return isinstance(result, ast.UnaryOp) and isinstance(result.op, ast.USub) and last_name(result.operand) in names


def _wrong(program: Program, module: Module, call: ast.Call, function: ast.Lambda) -> ast.expr | None:
    """In what is done to every leaf: it is turned round; or a gradient is added to parameters, or an optimizer's update taken off them."""
    names, body = [arg.arg for arg in function.args.args], function.body
    if _turns(body, names):
        return body
    if not isinstance(body, ast.BinOp) or len(names) != 2 or len(call.args) <= 2 or last_name(body.left) not in names:  # noqa: PLR2004 - a parameter and what is done to it
        return None
    given = dict(zip(names, call.args[1:], strict=False))
    moved = next((tree for name, tree in given.items() if name != last_name(body.left) and _names(body.right, name)), None)
    off = moved is not None and _is_update(program, module, moved)
    return body.right if moved is not None and isinstance(body.op, ast.Sub if off else ast.Add) else None


def _names(node: ast.expr, name: str) -> bool:
    negative = any(isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub) for part in ast.walk(node))
    return not negative and any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node))


def _is_update(program: Program, module: Module, tree: ast.expr) -> bool:
    """A tree that an optimizer's `update` returned, in the function that it stands in."""
    scope = program.scope_at(module.file, tree.lineno)
    bound = program.bindings(scope.node).get(last_name(tree), []) if scope is not None else []
    return any(isinstance(one.value, ast.Call) and last_name(one.value.func) == "update" for one in bound)
