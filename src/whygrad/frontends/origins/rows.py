"""Where to begin with what a data loader handed out: at the call that makes it, or in the program's own function that makes its rows."""

import ast
import re
from collections.abc import Iterator

from whygrad.frontends.origins.calls import returned
from whygrad.frontends.origins.program import ITEM, Path, Program, Spot, functions, last_name
from whygrad.ir import Batches

FITTING = ("fit", "train_on_batch")
"""Keras' calls that hand out batches of what they are given."""
LOADER = "DataLoader"
_KEY = re.compile(r"\[('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|-?\d+)\]")


def path_of(shown: str) -> Path:
    """`[1]` or `['labels']` as a path into each batch."""
    return (ITEM, *(ast.literal_eval(key) for key in _KEY.findall(shown)))


def is_told(program: Program, call: Spot) -> bool:
    """The source of the call says itself what becomes of the items: a loader or `fit`, with no collate function that can't be followed. A library's trainer makes loaders out of sight."""
    if not isinstance(call.node, ast.Call):
        return True
    if last_name(call.node.func) != LOADER:
        return last_name(call.node.func) in FITTING or program.function(call.scope, call.node.func) is not None
    collate = next((item.value for item in call.node.keywords if item.arg == "collate_fn"), None)
    known = program.function(call.scope, collate) if collate is not None else None
    return collate is None or isinstance(collate, ast.Lambda) or (known is not None and not isinstance(known[1], ast.ClassDef))


def made_by(program: Program, handed: Batches) -> Iterator[Spot]:
    """What the program's own function that makes the rows returns for this part of them."""
    site = handed.rows_site
    module = program.module(site.file) if site is not None else None
    for scope in functions(module) if module is not None else ():
        if site is not None and first_line(scope.node) == site.line:
            found = returned(scope, path_of(handed.path)[1:])
            if found is not None:
                yield found


def first_line(node: ast.AST) -> int:
    """Where a function begins, with its decorators."""
    decorators: list[int] = [item.lineno for item in getattr(node, "decorator_list", ())]
    return min((*decorators, int(getattr(node, "lineno", 0))))
