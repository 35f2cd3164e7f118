"""How the gradient's size goes from the loss towards the input, as WG507 and WG508 ask."""

from dataclasses import dataclass
from math import log10, prod, sqrt

from whygrad.flow import StepIndex
from whygrad.ir import Parameter
from whygrad.rules.phrases import finite

LAYERS = 4
"""Weights in a row that there must be: fewer are no depth."""
_WEIGHED = ("linear", "conv", "matmul")


@dataclass(frozen=True, slots=True)
class Depth:
    """The weights of one step from the input to the loss, with the size of their gradients for their own."""

    parameters: tuple[Parameter, ...]
    sizes: tuple[float, ...]

    @property
    def decades(self) -> float:
        """By how many powers of ten the gradient is smaller at the input than at the loss."""
        return log10(self.sizes[-1]) - log10(self.sizes[0])


def depth(step: StepIndex) -> Depth | None:
    """The depth of a step; None for shallow ones, and where a gradient is zero or not finite."""
    by_value = {p.value: p for p in step.step.parameters if p.trainable}
    rows: list[Parameter] = []
    for op in step.of(*_WEIGHED):
        rows += [by_value.pop(name) for name in op.inputs if name in by_value and len(step.value(name).shape or ()) > 1]
    sizes = [size(step, parameter) for parameter in rows]
    if len(rows) < LAYERS or any(one is None for one in sizes):
        return None
    return Depth(tuple(rows), tuple(one for one in sizes if one is not None))


def size(step: StepIndex, parameter: Parameter) -> float | None:
    """Root mean square of the gradient over that of the parameter."""
    shape, norm, own = step.value(parameter.value).shape, parameter.gradient_norm, parameter.norm
    if shape is None or norm is None or own is None or not finite(norm) or not finite(own) or norm <= 0 or own <= 0:
        return None
    return norm / sqrt(prod(shape)) / (own / sqrt(prod(shape)))
