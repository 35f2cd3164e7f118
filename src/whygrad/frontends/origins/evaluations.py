"""Where the program applies a model by the running statistics of its batch normalisation, as the source says it."""

import ast
from collections.abc import Iterator

from whygrad.frontends.origins.program import Module, Program, Scope, Spot, last_name
from whygrad.ir import Op, Origin, Record, Site

TOLD = "use_running_average"
"""What flax calls the argument that decides between the batch and the running statistics."""
_MAKING = frozenset(("init", "init_with_output", "lazy_init", "tabulate", "eval_shape"))
"""Calls that make a model, and evaluate nothing."""


def evaluations(program: Program, record: Record) -> Iterator[Origin]:
    """For the first normalisation of the last recorded step that runs on its batch: a call that tells the model to use running statistics."""
    ops = (op for step in record.steps[-1:] for op in step.graph.ops if op.kind == "batch_norm" and op.attributes.get("training"))
    op = next((op for op in ops if op.site is not None), None)
    site = _evaluated(program, op) if op is not None else None
    if op is not None and site is not None:
        yield Origin(op.outputs, setting="statistics", site=site)


def _evaluated(program: Program, op: Op) -> Site | None:
    assert op.site is not None
    scope = program.scope_at(op.site.file, op.site.line)
    told = _told(scope) if scope is not None else None
    if told is None:
        return None
    files = dict.fromkeys((*(frame.file for frame in op.site.callers), op.site.file))
    modules = [module for file in files if (module := program.module(file)) is not None]
    return next((program.site(spot) for module in modules for spot in _calls(module, *told)), None)


def _told(scope: Scope) -> tuple[str, bool] | None:
    """The variable that decides, and what it is for running statistics."""
    for node in ast.walk(scope.owner or scope.node):
        for item in node.keywords if isinstance(node, ast.Call) else ():
            match item:
                case ast.keyword(arg, ast.Name(name)) if arg == TOLD:
                    return name, True
                case ast.keyword(arg, ast.UnaryOp(ast.Not(), ast.Name(name))) if arg == TOLD:
                    return name, False
    return None


def _calls(module: Module, name: str, value: bool) -> Iterator[Spot]:  # noqa: FBT001 - what is looked for
    """Calls that give the variable this value."""
    top = Scope(module, module.tree)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and last_name(node.func) not in _MAKING and any(_gives(item, name, value) for item in node.keywords):
            yield Spot(node, top)


def _gives(item: ast.keyword, name: str, value: bool) -> bool:  # noqa: FBT001 - what is looked for
    return item.arg == name and isinstance(item.value, ast.Constant) and item.value.value is value
