"""What is known of a custom autograd function before it is called: where its backward stands, and what a checkpoint runs."""

import dis
import functools
from collections.abc import Callable
from types import CodeType
from typing import Any

from torch import nn

from whygrad.frontends import source
from whygrad.frontends.torch.modules import Modules
from whygrad.ir import Attribute

CHECKPOINTS = ("CheckpointFunction",)


def described(
    original: Callable[..., Any], name: str, args: tuple[Any, ...], modules: Modules, sources: source.Sources
) -> dict[str, Attribute]:
    """Settings of the call of a custom function; nothing for what is none."""
    function = original.args[0] if isinstance(original, functools.partial) and original.args else None
    found: dict[str, Attribute] = {}
    if isinstance(function, type):
        place = _backward(function, sources)
        found |= {"backward": place} if place is not None else {}
    if name in CHECKPOINTS and args:
        found |= {"runs": modules.called(_module(args[0]))}
    return found


def _backward(function: type, sources: source.Sources) -> tuple[str, int, str, str] | None:
    """File, line, name and text of the user's backward: of its `return`, where there is one alone."""
    method = getattr(function, "backward", None) or getattr(function, "vjp", None)
    code = getattr(method, "__code__", None)
    if code is None or not source.is_user(code):
        return None
    line = _only_return(code) or code.co_firstlineno
    return code.co_filename, line, code.co_qualname.replace("<locals>.", ""), sources.line(code.co_filename, line)


def _only_return(code: CodeType) -> int:
    """The line of the one `return` of a function; 0 where there are several."""
    lines = {ins.positions.lineno for ins in dis.get_instructions(code) if ins.opname.startswith("RETURN_") and ins.positions is not None}
    return next((line for line in lines if line is not None), 0) if len(lines) == 1 else 0


def _module(run: Any) -> nn.Module | None:
    """The module that a checkpointed callable is, or belongs to."""
    while isinstance(run, functools.partial):
        run = run.func
    owner = getattr(run, "__self__", run)
    return owner if isinstance(owner, nn.Module) else None
