"""What PyTorch's schedulers that wait for a value to get better are given, and what they hold, as numbers."""

import math
from typing import Any

from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from whygrad.frontends.plateaus import PlateauWatch


def take(watch: PlateauWatch, scheduler: ReduceLROnPlateau, given: object, loss: float | None, updates: int) -> None:
    """One step of the scheduler's is over."""
    watch.take(_number(given), _number(scheduler.best), _rate(scheduler), loss, updates)


def _rate(scheduler: ReduceLROnPlateau) -> float:
    rates = [_number(group.get("lr")) for group in scheduler.optimizer.param_groups]
    return max(rates, default=math.nan)


def _number(value: Any) -> float:
    """What is no number is NaN."""
    try:
        return float(value.detach()) if isinstance(value, Tensor) else float(value)
    except (TypeError, ValueError, RuntimeError):
        return math.nan
