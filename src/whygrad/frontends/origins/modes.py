"""Where it is decided that flax' normalisation runs on its running statistics: a literal, an option, a comparison, however far from the layer."""

import ast
from collections.abc import Iterator
from dataclasses import replace

from whygrad.frontends.origins.calls import fields_of
from whygrad.frontends.origins.program import Program, Scope, Spot, last_name, spans
from whygrad.frontends.origins.trails import Trail, places_of
from whygrad.ir import Frame, Op, Origin, Record, Site

ASKING = "use_running_average"
"""What flax calls the argument that says so."""
APPLYING = ("apply", "apply_fn")
"""Calls of a model that are given its variables before what its method is given."""
LAYERS = 8
"""Modules within modules that hand a mode on."""


def modes_of(program: Program, record: Record) -> Iterator[Origin]:
    """For each such layer of the first recorded step, the first place that decides."""
    ops = (op for step in record.steps[:1] for op in step.graph.ops if op.kind == "batch_norm" and op.attributes.get("training") is False)
    for op in ops:
        site = _decided(program, op)
        if site is not None:
            yield Origin(op.outputs, setting="mode asked", site=site)


def _decided(program: Program, op: Op) -> Site | None:
    spot = program.expression_at(op.site) if op.site is not None else None
    asked = _asked(program, spot) if spot is not None else None
    frames = op.site.callers if op.site is not None else ()
    for at in range(LAYERS):
        if asked is None:
            return None
        if isinstance(asked.node, ast.UnaryOp) and isinstance(asked.node.op, ast.Not):
            asked = replace(asked, node=asked.node.operand)
        if isinstance(asked.node, ast.Constant):
            return program.site(asked)
        handed = _handed(program, asked, frames[at:]) or _of_object(program, asked)
        if handed is None:
            return next(iter(places_of(program, asked)), None)
        asked = handed
    return None


def _asked(program: Program, spot: Spot) -> Spot | None:
    """What the layer is told, where it is called, made, or where the function is that makes it: `norm = partial(BatchNorm, use_running_average=not train)`."""
    own = _keyword(spot, ASKING)
    if own is not None or not isinstance(spot.node, ast.Call):
        return own
    maker = spot.node.func.func if isinstance(spot.node.func, ast.Call) else spot.node.func
    steps = Trail(program).steps(replace(spot, node=maker, path=()))
    return next((found for at, _ in steps if (found := _keyword(at, ASKING)) is not None), None)


def _keyword(spot: Spot, name: str) -> Spot | None:
    found = (item.value for node in ast.walk(spot.node) if isinstance(node, ast.Call) for item in node.keywords if item.arg == name)
    return next((replace(spot, node=value, path=()) for value in found), None)


def _handed(program: Program, asked: Spot, frames: tuple[Frame, ...]) -> Spot | None:
    """What the call of a module's method gives for an argument of it; None for anything else than that."""
    function = asked.scope.node
    names = _names(function) if asked.scope.owner is not None else []
    if not isinstance(asked.node, ast.Name) or asked.node.id not in names or not frames:
        return None
    scope = program.scope_at(frames[0].file, frames[0].line, frames[1:])
    return _given(scope, frames[0].line, names, asked.node.id) if scope is not None else None


def _names(function: ast.AST) -> list[str]:
    given = getattr(function, "args", None)
    return [item.arg for item in (*given.posonlyargs, *given.args[1:], *given.kwonlyargs)] if isinstance(given, ast.arguments) else []


def _given(scope: Scope, line: int, names: list[str], name: str) -> Spot | None:
    """The argument of the only call of the line that has one of that name, or at its place."""
    calls = [node for node in ast.walk(scope.node) if isinstance(node, ast.Call) and spans(node, line)]
    named = [item.value for call in calls for item in call.keywords if item.arg == name]
    if not named:
        place = names.index(name)
        shifted = ((call, place + (last_name(call.func) in APPLYING)) for call in calls)
        named = [call.args[at] for call, at in shifted if len(call.args) == at + 1 and isinstance(call.args[at], ast.Name | ast.Constant)]
    return Spot(named[0], scope, (), line) if len(named) == 1 else None


def _of_object(program: Program, asked: Spot) -> Spot | None:
    """What the model that trains was made with, where several are made: not what is written out for the one that is evaluated, if another one is told otherwise."""
    node, owner = asked.node, asked.scope.owner
    own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    if not own or owner is None:
        return None
    found = [spot for spot in fields_of(program, owner, node.attr) if spot is not None]  # type: ignore[attr-defined]  # an attribute
    open_ones = [spot for spot in found if not isinstance(spot.node, ast.Constant)]
    return found[0] if len(found) == 1 else open_ones[0] if len(open_ones) == 1 else None
