"""Compiled steps that update only every so many calls: gradients are added up meanwhile."""

from typing import TYPE_CHECKING, Any

from whygrad.frontends.tensorflow.guard import guarded
from whygrad.frontends.tensorflow.optimizers import taken

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder

MOST_CALLS = 64
"""Calls among which the first update is looked for: more micro-batches than that are hardly added up."""


class RareUpdates:
    """Waits for the next update of a training whose recorded steps made none, and has recording begin with it."""

    def __init__(self, recorder: "TensorFlowRecorder") -> None:
        self.recorder = recorder
        self._before: dict[tuple[object, int], int] = {}
        """By training and optimizer: how many updates had been made as its first step was over that was not recorded."""
        self._due: dict[object, int] = {}
        """By training: the number of the step that makes the next update."""

    @guarded
    def passed(self, training: object, optimizer: Any) -> None:
        """A compiled step is over that was not recorded."""
        recorder = self.recorder
        if recorder.on or recorder.index > 2 * MOST_CALLS or any(step.updated for step in recorder.steps):
            return
        made = taken(optimizer) or 0
        if made > self._before.setdefault((training, id(optimizer)), made) and training not in self._due:
            self._due[training] = 2 * recorder.index - 1
        if recorder.index == self._due.get(training):
            recorder.kinds.begins((training, "updates"))
            recorder.arm()
