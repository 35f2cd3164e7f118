"""Batches that a program cuts out of its data where it uses them, `model(X[i:i + 32])`: what the same words give in a later step.

Only what runs nothing of the program's is looked up again: parts of tensors and arrays, by numbers, slices and other tensors.
"""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from whygrad.frontends import source
from whygrad.frontends.arguments import expression_at
from whygrad.frontends.torch.calls import Call, Seen
from whygrad.ir import Site

CUTS = ("__getitem__", "from_numpy", "tensor", "as_tensor")
"""Calls that cut out a part, or make a tensor of a part of an array."""
_ENTRIES = frozenset(CUTS[1:])
_WHOLE: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Mod: lambda left, right: left % right,
}


@dataclass(frozen=True, slots=True)
class CutOut:
    """A part of the data, as it is written."""

    expression: ast.expr
    dtype: torch.dtype
    shape: tuple[int, ...]


def cut_outs(calls: Iterable[Call], values: Mapping[str, Seen], site: Callable[[source.Trace | None], Site | None]) -> dict[int, CutOut]:
    """The parts that a step cut out of data without a name of their own: object number to how they are written."""
    found: dict[int, CutOut] = {}
    for call in calls:
        seen = values.get(call.made[0]) if call.made else None
        if call.info.base in CUTS and not call.full and not call.failed and seen is not None:
            expression = _parsed(expression_at(site(call.trace)))
            if expression is not None:
                found[call.outputs[0]] = CutOut(expression, seen.dtype, seen.shape)
    return found


def again(part: CutOut, variables: Mapping[str, Any]) -> Tensor | None:
    """What the same words stand for now; None where a name is gone, or where anything else than a lookup would be needed."""
    try:
        value = _value(part.expression, variables)
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError, ZeroDivisionError):
        return None
    if isinstance(value, np.ndarray | np.generic):
        value = torch.as_tensor(np.array(value)).to(part.dtype)
    return value if isinstance(value, Tensor) else None


def _parsed(text: str) -> ast.expr | None:
    try:
        found = ast.parse(text.strip(), mode="eval").body if text else None
    except (SyntaxError, ValueError):
        return None
    return found if isinstance(found, ast.Subscript | ast.Call) else None


def _value(node: ast.expr, variables: Mapping[str, Any]) -> Any:  # noqa: PLR0911 - one for each kind of expression
    """The value of an expression of lookups; raises `TypeError` for any other."""
    match node:
        case ast.Name(id=name):
            return variables[name]
        case ast.Constant(value=value):
            return value
        case ast.Slice(lower=lower, upper=upper, step=step):
            return slice(*(None if part is None else _value(part, variables) for part in (lower, upper, step)))
        case ast.Tuple(elts=parts):
            return tuple(_value(part, variables) for part in parts)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(_value(operand, variables))
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _WHOLE:
            return _WHOLE[type(operator)](_number(_value(left, variables)), _number(_value(right, variables)))
        case ast.Subscript(value=whole, slice=part):
            return _part(_value(whole, variables), _value(part, variables))
        case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr=name), args=[data]) if name in _ENTRIES:
            return _value(data, variables)
    raise TypeError(node)


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(value)
    return value


def _part(whole: object, part: object) -> object:
    """A part of a tensor or an array; what other classes do when they are indexed is the program's own."""
    if type(whole) is Tensor or type(whole) is np.ndarray:
        return whole[part]  # type: ignore[index, call-overload]  # what can't be an index raises, which is caught
    raise TypeError(whole)
