"""Parameters made by `torch.Tensor(rows, columns)`: a constructor that reserves memory, and that no mode of PyTorch's sees."""

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import FrameType
from typing import TYPE_CHECKING, Any

from torch import Tensor

from whygrad.frontends import source
from whygrad.frontends.torch.identity import version_of

if TYPE_CHECKING:
    from whygrad.frontends.torch.ledger import Ledger

CONSTRUCTORS = frozenset(("Tensor", "FloatTensor", "DoubleTensor", "HalfTensor"))
"""Given sizes they reserve memory; given numbers in a list they copy these."""


def note_reserved(ledger: "Ledger", parameter: Tensor, frame: FrameType | None, text: Callable[[str], str]) -> None:
    """Remember the memory of a parameter that is reserved within the very call of `nn.Parameter` that makes it: nothing has written to it yet. `text` gives a file's source."""
    frame = source.user_frame(frame)
    if frame is None or version_of(parameter) != 0:
        return
    here = [part for whole, part in _reserving(text(frame.f_code.co_filename)) if whole.lineno <= frame.f_lineno <= (whole.end_lineno or 0)]
    sizes = [_sizes(part, frame.f_locals) for part in here]
    number = ledger.identity.storage(parameter)
    if tuple(parameter.shape) in sizes and number is not None:
        ledger.unwritten.add(number)


@lru_cache(maxsize=64)
def _reserving(text: str) -> tuple[tuple[ast.Call, ast.Call], ...]:
    """The calls of `Parameter` in a source whose first argument reserves memory, each with that argument."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ()
    made = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == "Parameter" and node.args]
    return tuple((whole, part) for whole in made if isinstance(part := whole.args[0], ast.Call) and _reserves(part))


def _reserves(call: ast.Call) -> bool:
    return _called(call) in CONSTRUCTORS and not call.keywords


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def _sizes(call: ast.Call, variables: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(size for part in call.args for size in _size(part, variables))


def _size(node: ast.expr, variables: Mapping[str, Any]) -> Iterator[Any]:
    """What an argument stands for; None where it is more than a name, a number or an attribute that the object holds itself."""
    if isinstance(node, ast.Starred):
        many = next(_size(node.value, variables))
        yield from many if isinstance(many, tuple | list) else (None,)
    elif isinstance(node, ast.Constant):
        yield node.value
    elif isinstance(node, ast.Name):
        yield variables.get(node.id)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        yield getattr(variables.get(node.value.id), "__dict__", {}).get(node.attr)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        left, right = next(_size(node.left, variables)), next(_size(node.right, variables))
        yield left * right if isinstance(left, int) and isinstance(right, int) else None
    else:
        yield None
