"""Copies of parameters that a program takes out as arrays, changes, and never puts back."""

import sys
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow.guard import guarded

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder

MOST = 256
"""Copies of one step that are remembered: a step that never updates goes on for many backwards."""


class Copies:
    """Listens to `get_weights`."""

    def __init__(self, recorder: "TensorFlowRecorder") -> None:
        self.recorder = recorder

    @guarded
    def taken(self, layer: Any, arrays: Any) -> None:
        """`get_weights` gave these arrays, one for each of the layer's variables."""
        recorder = self.recorder
        if not recorder.on or not recorder.running.backwards:
            return
        look = recorder.ledger.frames.look(sys._getframe(2))
        if look.quiet or not look.points:
            return
        variable = recorder.ledger.values.variable
        entries = [variable(getattr(weight, "_value", weight)) for weight in layer.weights]
        pairs = [(entry.number, ref(array), look) for entry, array in zip(entries, arrays, strict=False) if entry is not None]
        recorder.running.taken = [*recorder.running.taken, *pairs][-MOST:]

    def settle(self) -> None:
        """The step is over: copies that were changed though their parameters were not are calls of it."""
        running, ledger = self.recorder.running, self.recorder.ledger
        for number, reference, look in () if running.updated else running.taken:
            owned, array = running.seen.get(number), reference()
            if owned is None or array is None or not owned.trainable or _same(array, _compat.read(owned.variable).numpy()):
                continue
            call = ledger.call("leave", (), (), look, kind="leave", settings={"edited": True})
            call.inputs, call.tensors, call.watched = (ledger.values.of_variable(owned.entry).name,), (None,), (False,)
            call.outputs = (f"p{call.at}",)


def _same(one: Any, other: Any) -> bool:
    return one.shape == other.shape and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
