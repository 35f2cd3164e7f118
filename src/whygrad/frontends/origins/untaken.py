"""What switches off the branches of a function in which it would read the labels that it is given."""

import ast
from collections.abc import Iterator

from whygrad.frontends.origins.calls import own_nodes
from whygrad.frontends.origins.program import Program, Scope, Spot
from whygrad.frontends.origins.trails import places_of
from whygrad.ir import Origin, Record, Site
from whygrad.ir import Scope as Called


def untaken(program: Program, record: Record) -> Iterator[Origin]:
    """For each label that a function is given and reads in branches alone: where the one condition of these gets its value, else the condition."""
    seen: set[str] = set()
    for step in record.steps:
        for called in step.scopes:
            for argument, value in called.arguments.items():
                if value in step.labels.values and value not in seen and argument not in called.unread:
                    site = _switch(program, called, argument)
                    seen.update({value} if site is not None else ())
                    yield from (Origin((value,), setting="branch", site=site),) if site is not None else ()


def _switch(program: Program, called: Called, argument: str) -> Site | None:
    scope = program.scope_at(called.site.file, called.site.line) if called.site is not None else None
    if scope is None or not isinstance(scope.node, ast.FunctionDef):
        return None
    branches = [node for node in own_nodes(scope.node) if isinstance(node, ast.If) and any(_reads(part, argument) for part in node.body)]
    inside = {id(node) for branch in branches for part in branch.body for node in ast.walk(part)}
    elsewhere = any(_is_read(node, argument) and id(node) not in inside for node in ast.walk(scope.node))
    if elsewhere or len(branches) != 1 or _reads(branches[0].test, argument):
        return None
    return _decided(program, scope, branches[0].test)


def _decided(program: Program, scope: Scope, test: ast.expr) -> Site:
    parts = [node for node in ast.walk(test) if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load)]
    found = places_of(program, Spot(parts[0], scope)) if parts else ()
    return found[0] if found else program.site(Spot(test, scope))


def _reads(node: ast.AST, name: str) -> bool:
    return any(_is_read(part, name) for part in ast.walk(node))


def _is_read(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
