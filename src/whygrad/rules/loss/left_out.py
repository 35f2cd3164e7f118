"""Examples that a loss does not count: their labels need not be real ones, and say nothing about the task."""

from whygrad.flow import StepIndex
from whygrad.ir import Op

_TAKES_OUT = ("mul", "where", "index")


def leaves_some_out(step: StepIndex, op: Op) -> bool:
    """Some entries of what `op` compares have the weight 0, or are taken out on the way from there to the loss."""
    data = frozenset(name for name in step.values if name not in step.depends_on_parameters)
    if any(has_zeros(step, name) for name in op.inputs[2:] if name in data):
        return True
    below = step.downstream(op.outputs)
    masks = (
        other
        for other in step.graph.ops
        if other.kind in _TAKES_OUT and not below.isdisjoint(other.inputs) and not step.shapes_loss.isdisjoint(other.outputs)
    )
    return any(has_zeros(step, name) for other in masks for name in other.inputs if name in data)


def has_zeros(step: StepIndex, name: str) -> bool:
    """Some of several entries are 0."""
    value = step.value(name)
    return value.shape != () and value.statistics is not None and bool(value.statistics.zeros)
