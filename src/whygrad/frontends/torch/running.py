"""The step under way, and small questions about optimizers and places."""

from dataclasses import dataclass, field
from types import FrameType

from torch import Tensor
from torch.optim import Optimizer

from whygrad.frontends import source
from whygrad.frontends.torch.modules import Owned
from whygrad.ir import Birth, Measures, Trial


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
