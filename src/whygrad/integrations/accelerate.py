"""A loop that Accelerate runs: `with watch(accelerator, model, optimizer) as watching:`, its figures in the accelerator's trackers."""

from typing import Any

from whygrad import api
from whygrad.presenting import Gate


def watch(accelerator: Any, model: Any = None, optimizer: Any = None, *, stop_on: Gate = "never", steps: int = 2) -> api.Watch:
    """`whygrad.watch` for a loop with an `Accelerator`: the figures of each recorded step go to `accelerator.log`.

    Call it after `accelerator.prepare`. `check` between steps raises `whygrad.TrainingFault` where `stop_on` asks for it.
    """
    inner = getattr(optimizer, "optimizer", optimizer)  # Accelerate wraps optimizers
    return api.watch(model, inner, log=accelerator, stop_on=stop_on, steps=steps)
