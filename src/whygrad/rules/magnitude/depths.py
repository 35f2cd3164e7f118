"""How the gradient's size goes from the loss towards the input, as WG507 and WG508 ask."""

from dataclasses import dataclass
from math import log10, prod, sqrt

from whygrad.flow import StepIndex
from whygrad.flow.penalties import penalised
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


def signals(step: StepIndex) -> Depth | None:
    """
    The depth by what arrives behind each layer, where the layers have biases: their gradient is that of the layer's result, summed. Where what goes forward
    vanishes as well, the gradients of the weights are its product with that, and equally small everywhere. So do penalties of the weights hide it, which are in
    their gradients; the biases have none.
    """
    added = penalised(step)
    by_value = {p.value: p for p in step.step.parameters if p.trainable}
    pairs: list[tuple[Parameter, Parameter]] = []
    for op in step.of(*_WEIGHED):
        held = [by_value[name] for name in op.inputs if name in by_value]
        weight, bias = (next((p for p in held if len(step.value(p.value).shape or ()) in axes), None) for axes in ((2, 3, 4, 5), (1,)))
        if weight is not None and bias is not None:
            pairs.append((weight, bias))
    found = [(size(step, weight), arriving(step, bias)) for weight, bias in pairs]
    if len(pairs) < LAYERS or any(one is None for pair in found for one in pair) or not added.isdisjoint(bias.value for _, bias in pairs):
        return None
    if pairs[0][0].value in added:
        if normalised(step, pairs[0][1]):
            return None
        return Depth(tuple(bias for _, bias in pairs), tuple(one for _, one in found if one is not None))
    smallest = max(
        one for one in found[0] if one is not None
    )  # a bias before a normalisation gets a gradient of rounding, its weight does not
    return Depth((pairs[0][0], *(bias for _, bias in pairs[1:])), (smallest, *(one for _, one in found[1:] if one is not None)))


def normalised(step: StepIndex, bias: Parameter) -> bool:
    """A normalisation reads what the bias is added to, and takes it off again: its gradient is rounding."""
    results = [name for op in step.consumers.get(bias.value, ()) for name in op.outputs]
    return any(op.kind in ("batch_norm", "layer_norm") for name in results for op in step.consumers.get(name, ()))


def arriving(step: StepIndex, bias: Parameter) -> float | None:
    """Root mean square of a bias's gradient; None where it is zero or not finite."""
    shape, norm = step.value(bias.value).shape, bias.gradient_norm
    return norm / sqrt(prod(shape)) if shape is not None and 0 not in shape and norm is not None and finite(norm) and norm > 0 else None
