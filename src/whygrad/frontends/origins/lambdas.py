"""Where a Keras `Lambda` does nothing but call a layer that the model does not know of."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from whygrad.frontends.origins.calls import own_nodes
from whygrad.frontends.origins.program import Program, Spot, last_name
from whygrad.ir import Origin, Parameter, Record, Site

HARMLESS: Final = ("name", "output_shape")
"""What a `Lambda` may be told beside the function, and the layer need not be."""
_MADE: Final = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*[\w.]+\(")


def lambdas(program: Program, record: Record) -> Iterator[Origin]:
    """The `Lambda(lambda t: layer(t))` in whose place the layer could stand; nothing where there are several."""
    keras = any(framework.name == "keras" for framework in record.frameworks)
    found: dict[str, list[Parameter]] = {}
    for parameter in (p for step in record.steps if keras for p in step.parameters if not p.registered and p.trainable):
        found.setdefault(parameter.name, []).append(parameter)
    for known in found.values():
        site = _around(program, known[0])
        if site is not None:
            yield Origin(tuple(dict.fromkeys(p.value for p in known)), setting="lambda", site=site)


def _around(program: Program, parameter: Parameter) -> Site | None:
    made = parameter.site
    named = _MADE.match(made.text) if made is not None else None
    scope = program.scope_at(made.file, made.line, made.callers) if made is not None and named is not None else None
    if scope is None or named is None:
        return None
    found = [node for node in own_nodes(scope.node) if isinstance(node, ast.Call) and _only_calls(node, named[1])]
    return program.site(Spot(found[0], scope)) if len(found) == 1 else None


def _only_calls(node: ast.Call, layer: str) -> bool:
    """`Lambda(lambda t: layer(t))`."""
    bare = len(node.args) == 1 and all(item.arg in HARMLESS for item in node.keywords)
    given = node.args[0] if last_name(node.func) == "Lambda" and bare else None
    if not isinstance(given, ast.Lambda) or len(given.args.args) != 1 or not isinstance(given.body, ast.Call) or given.body.keywords:
        return False
    called, passed = given.body.func, given.body.args
    return (
        isinstance(called, ast.Name)
        and called.id == layer
        and len(passed) == 1
        and isinstance(passed[0], ast.Name)
        and passed[0].id == given.args.args[0].arg
    )
