"""Updates by hand that make a new leaf of the old one and its gradient: `w = (w - rate * w.grad).detach().requires_grad_()`."""

from types import FrameType
from typing import TYPE_CHECKING

from torch import Tensor

from whygrad.frontends.torch.ledger import Ledger

if TYPE_CHECKING:
    from whygrad.frontends.torch.recorder import TorchRecorder

DEPTH = 8
"""Calls between a gradient and the new leaf: a product, a difference, a cut, and what scales or clips."""


def rebound(recorder: "TorchRecorder", tensor: Tensor, frame: FrameType) -> bool:
    """Note an update, where a tensor that is about to become a leaf is the next value of another one in a program that has no optimizer.

    Beside an optimizer such a leaf is an input that is perturbed, or a fast weight: part of the step.
    """
    free = recorder.running.backwards and not recorder.in_closure and not recorder.optimizers.all()
    found = bool(free) and _from_gradient(recorder.ledger, recorder.ledger.slot(tensor).value)
    if found:
        recorder.happened("update", frame, (tensor,))
        recorder.running.updated = True
    return found


def _from_gradient(ledger: Ledger, name: str) -> bool:
    waiting = {name}
    for _ in range(DEPTH):
        calls = [call for one in waiting if (call := ledger.producer(one)) is not None]
        waiting = {slot.value for call in calls for slot in call.slots}
        if any((seen := ledger.values.get(one)) is not None and seen.role == "gradient" for one in waiting):
            return True
    return False
