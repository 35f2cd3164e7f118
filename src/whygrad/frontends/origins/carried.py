"""Where the body of a loop hands back the state that it was given, though it has made another one."""

import ast
from collections.abc import Iterator

from whygrad.flow import StepIndex
from whygrad.flow.idle_states import idle_states
from whygrad.frontends.origins.program import Program, Scope, Spot
from whygrad.ir import Frame, Origin, Record, Site


def carried(program: Program, record: Record) -> Iterator[Origin]:
    """Of each state that no turn changes, the name that is returned first and was never bound anew."""
    for step in record.steps:
        for item in idle_states(StepIndex(step)):
            site = next(_handed_back(program, item.op.site), None) if item.op.site is not None else None
            if site is not None:
                yield Origin((item.state,), setting="carried", site=site)


def _handed_back(program: Program, used: Site) -> Iterator[Site]:
    """In the function that reads the state, or in one that has called it."""
    for frame in (Frame(used.file, used.line), *used.callers):
        scope = program.scope_at(frame.file, frame.line)
        spot = _first_of_pair(program, scope) if scope is not None else None
        if spot is not None:
            yield program.site(spot)


def _first_of_pair(program: Program, scope: Scope) -> Spot | None:
    node = scope.node
    if not isinstance(node, ast.FunctionDef):
        return None
    given, bound = {item.arg for item in node.args.args}, program.bindings(node)
    pairs = [part.value.elts for part in node.body if isinstance(part, ast.Return) and isinstance(part.value, ast.Tuple)]
    first = pairs[-1][0] if pairs and len(pairs[-1]) == 2 else None  # noqa: PLR2004 - the state, and what is kept of the turn
    return Spot(first, scope) if isinstance(first, ast.Name) and first.id in given and first.id not in bound else None
