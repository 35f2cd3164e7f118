"""What a value without a name is called where the program hands it over: `points[chosen]`, of `model(points[chosen])`."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from whygrad.ir import Op, Site, family

TARGETS, PREDICTIONS, INPUTS = ("y_true", "labels"), ("y_pred", "logits"), ("inputs", "x")
"""Keywords of Keras' and TensorFlow's functions."""


def written(ops: Sequence[Op], passing: tuple[str, ...], longest: int) -> Iterator[tuple[str, str]]:
    """Values that no op of the step made, with the arguments that they were at a loss or a layer."""
    makers = {name: op for op in ops for name in op.outputs}
    for op in ops:
        for at, number, keywords in _meant(op):
            text = _argument(op.site, number, keywords)
            name = _source(op.inputs[at], makers, passing) if at < len(op.inputs) else None
            if text and name and len(text) <= longest:
                yield name, text


def _meant(op: Op) -> Iterable[tuple[int, int, tuple[str, ...]]]:
    """Positions among the op's inputs, and which argument of the call each is."""
    if family(op.kind) == "loss" and op.native.startswith("keras."):
        target = op.attributes.get("target", 1)
        return ((target, 0, TARGETS), (1 - target, 1, PREDICTIONS)) if isinstance(target, int) and target in (0, 1) else ()
    return ((0, 0, INPUTS),) if op.native.startswith("keras.layers.") else ()


def _source(name: str, makers: Mapping[str, Op], passing: tuple[str, ...]) -> str | None:
    """Where a value comes from through what leaves it as it was; None where the step made it."""
    while name in makers and makers[name].kind in passing and makers[name].inputs:
        name = makers[name].inputs[0]
    return None if name in makers else name


@cache
def _argument(site: Site | None, number: int, keywords: tuple[str, ...]) -> str:
    """An argument of the call that stands at a place, as it is written; "" where it is none, or several."""
    if site is None or site.line != site.end_line or not 0 < site.column < site.end_column:
        return ""
    try:
        call = ast.parse(site.text[site.column - 1 : site.end_column - 1], mode="eval").body
    except (SyntaxError, ValueError):
        return ""
    if not isinstance(call, ast.Call) or any(isinstance(part, ast.Starred) for part in call.args):
        return ""
    plain = call.args[number] if number < len(call.args) else None
    found = plain or next((part.value for part in call.keywords if part.arg in keywords), None)
    return ast.unparse(found) if isinstance(found, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.BinOp) else ""
