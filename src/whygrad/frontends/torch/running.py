"""The step under way, and small questions about optimizers, updates and places."""

import math
from dataclasses import dataclass, field
from types import FrameType

import torch
from torch import Tensor
from torch.optim import Optimizer

from whygrad.frontends import source
from whygrad.frontends.torch.calls import Call
from whygrad.frontends.torch.modules import Owned
from whygrad.ir import Birth, Measures, Trial

ADDING = {"add": 1, "sub": -1}
"""What moves a tensor by what it is given, in place."""


@dataclass(slots=True)
class Running:
    """The step under way."""

    backwards: int = 0
    updated: bool = False
    examined: int = 0
    measures: Measures | None = None
    trials: tuple[Trial, ...] = ()
    births: tuple[Birth, ...] = ()
    modes: dict[str, bool] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)
    sites: list[tuple[str, int]] = field(default_factory=list)
    optimizers: list[object] = field(default_factory=list)
    """Where the optimizers that updated were made."""
    changed: set[int] = field(default_factory=set)
    """Object numbers of updated parameters."""
    seen: dict[int, Owned] = field(default_factory=dict)
    partial: bool = False
    """Its forward began before the recording did."""


def user_part(trace: source.Trace | None) -> object:
    """The user's own frames of a trace: what tells two places apart."""
    return trace.user if trace is not None else None


def held_by(optimizer: Optimizer) -> list[Tensor]:
    """The parameters that an optimizer holds."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def decorated(frame: FrameType | None) -> source.Trace | None:
    """The function that a decorator such as `@torch.no_grad()` stands on, where tracking is switched by one."""
    while frame is not None and not source.is_user(frame.f_code):
        function = frame.f_locals.get("func") if frame.f_code.co_name == "decorate_context" else None
        code = getattr(function, "__code__", None)
        if code is not None and source.is_user(code):
            return source.Trace(((code, -2),), ())
        frame = frame.f_back
    return None


def along(call: Call, parameter: Tensor) -> dict[str, float]:
    """Which way the program itself moves a parameter by adding to it or taking off: the cosine with its gradient, 1 where that is climbed."""
    sign, slots = ADDING.get(call.info.base), call.slots[1:2]
    added = slots[0].reference() if slots else None
    gradient = parameter.grad
    if sign is None or added is None or gradient is None or added.shape != gradient.shape:
        return {}
    if any(one.layout is not torch.strided or one.is_complex() for one in (added, gradient)):
        return {}
    factor = call.kwargs.get("alpha", 1)
    one, two = added.detach().double().flatten(), gradient.detach().double().flatten()
    size = float(one.norm() * two.norm())
    return {"along": sign * math.copysign(1, factor) * float(one @ two) / size} if size > 0 and isinstance(factor, int | float) else {}
