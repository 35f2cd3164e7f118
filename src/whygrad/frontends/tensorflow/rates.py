"""Who decides on learning rates: schedules, and assignments by the program or by a callback of Keras'."""

import math
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow.guard import guarded

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder


class Rates:
    """Notes the places, for the optimizers to tell of."""

    def __init__(self, recorder: "TensorFlowRecorder") -> None:
        self.recorder = recorder

    @guarded
    def made_schedule(self, schedule: Any) -> None:
        """A schedule of learning rates was made."""
        self.recorder.optimizers.made_schedule(schedule, source.trace(sys._getframe(2)))

    @guarded
    def assigned(self, optimizer: Any) -> None:
        """`optimizer.learning_rate` was assigned."""
        self._noted(optimizer, sys._getframe(2))

    @guarded
    def written(self, variable: Any) -> None:
        """A variable of Keras' was written to: it may hold a rate, as in `optimizer.learning_rate.assign(…)`."""
        if getattr(variable, "name", "") != "learning_rate" or self.recorder.quiet > 1:
            return
        for optimizer in self.recorder.optimizers.living():
            if getattr(getattr(optimizer, "inner_optimizer", optimizer), "_learning_rate", None) is variable:
                self._noted(optimizer, sys._getframe(2))

    @guarded
    def waited(self, callback: Any, logs: Any) -> None:
        """`ReduceLROnPlateau` has looked at the logs of an epoch."""
        given = {name: _number(item) for name, item in (logs or {}).items()}
        value, optimizer = given.get(callback.monitor), getattr(callback.model, "optimizer", None)
        if value is not None and optimizer is not None and callback.monitor_op is not None:
            best = _number(callback.best)
            self.recorder.optimizers.waited(callback, optimizer, value, math.nan if best is None else best, given.get("loss"))

    def _noted(self, optimizer: Any, frame: FrameType | None) -> None:
        trace = source.trace(frame)
        while frame is not None and not source.is_user(frame.f_code):
            code = _compat.code_of(getattr(frame.f_locals.get("self"), "schedule", None))
            if code is not None and source.is_user(code):  # `LearningRateScheduler` asks a function of the program's
                trace = source.returning(code)
                break
            frame = frame.f_back
        self.recorder.optimizers.rate_was_set(optimizer, trace)


def _number(item: Any) -> float | None:
    """A figure of the logs: Keras makes floats of them, a program's own step may leave tensors."""
    return float(item) if isinstance(item, int | float | np.number) else _compat.number(item)
