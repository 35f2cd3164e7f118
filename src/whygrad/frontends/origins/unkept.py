"""Where a function takes over parameters, trains them in a loop, and keeps what came of it from everybody."""

import ast
from collections.abc import Iterator

from whygrad.frontends.origins.calls import own_nodes
from whygrad.frontends.origins.program import Program, Scope, Spot, spans
from whygrad.ir import Origin, Record, Site


def unkept(program: Program, record: Record) -> Iterator[Origin]:
    """The line that takes the parameters over, else the one that trains them, where the function's source says that it hands on nothing."""
    events = (
        event for step in record.steps for event in step.events if event.kind == "dropped" and event.attributes.get("what") == "begun again"
    )
    for event in events:
        site = _lost(program, event.site) if event.site is not None else None
        if site is not None:
            yield Origin(event.targets, setting="unkept", site=site)


def _lost(program: Program, site: Site) -> Site | None:
    scope = program.scope_at(site.file, site.line, site.callers)
    if scope is None or not isinstance(scope.node, ast.FunctionDef) or not _repeated(program, scope, site):
        return None
    assigned = next((node for node in own_nodes(scope.node) if isinstance(node, ast.Assign) and spans(node, site.line)), None)
    if assigned is None or len(assigned.targets) != 1 or not isinstance(assigned.value, ast.Call):
        return None
    handed_on = _names(assigned.targets[0]) & _read(assigned.value)
    inside = {id(node) for node in ast.walk(assigned.value)}
    elsewhere = (
        node for node in ast.walk(scope.node) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in inside
    )
    if not handed_on or any(node.id in handed_on for node in elsewhere) or _outer(scope.node) & handed_on:
        return None
    taken = next((node for node in own_nodes(scope.node) if _takes(node, handed_on) and node is not assigned), None)
    return program.site(Spot(assigned.value, scope), taken or assigned)


def _names(target: ast.expr) -> set[str]:
    parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    return {part.id for part in parts if isinstance(part, ast.Name)}


def _read(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _outer(function: ast.FunctionDef) -> set[str]:
    """Names that the function has from around it, and leaves there."""
    return {name for node in ast.walk(function) if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}


def _takes(node: ast.AST, names: set[str]) -> bool:
    """`params, state = self.params, self.state`."""
    return isinstance(node, ast.Assign) and len(node.targets) == 1 and bool(_names(node.targets[0]) & names)


def _repeated(program: Program, scope: Scope, site: Site) -> bool:
    """A loop calls the function, and what it goes through is not handed to it: neither folds nor settings that are tried out one after the other."""
    caller = site.callers[0] if site.callers else None
    around = program.scope_at(caller.file, caller.line, site.callers[1:]) if caller is not None else None
    if caller is None or around is None:
        return False
    name = getattr(scope.node, "name", "")
    loops = [node for node in own_nodes(around.node) if isinstance(node, ast.For) and spans(node, caller.line)]
    calls = [node for loop in loops for node in ast.walk(loop) if isinstance(node, ast.Call) and spans(node, caller.line)]
    called = [node for node in calls if name in (getattr(node.func, "attr", ""), getattr(node.func, "id", ""))]
    turning = {part.id for loop in loops for part in ast.walk(loop.target) if isinstance(part, ast.Name)}
    for part in (part for loop in loops for part in ast.walk(loop) if isinstance(part, ast.Assign)):
        # what is made of it is another setting as well; rows that are drawn anew are not
        turning |= set() if turning.isdisjoint(_read(part.value)) else _names(part.targets[0])
    given = {name for node in called for item in (*node.args, *(one.value for one in node.keywords)) for name in _read(item)}
    return bool(called) and turning.isdisjoint(given)
