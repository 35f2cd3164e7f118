"""Layers: an op with weights, and what the weights ask of the data."""

from dataclasses import dataclass

from whygrad.flow.index import StepIndex
from whygrad.ir import Op, Parameter, Site, Value

LAYERS = frozenset(("linear", "conv", "embedding", "rnn", "batch_norm", "layer_norm", "matmul", "bilinear"))


@dataclass(frozen=True, slots=True)
class Layer:
    """One call of a layer: the data that it was given and the weight that they meet."""

    op: Op
    data: Value
    weight: Value
    parameter: Parameter | None
    """The weight's owner; None for a tensor that no model is known to hold."""

    @property
    def shown(self) -> str:
        """The layer by its module, else by its weight, in words for a sentence."""
        if any(letter.isalpha() for letter in self.op.module):
            return f"`{self.op.module}`"
        name = self.parameter.name if self.parameter else self.weight.shown
        return f"layer `{self.op.module}`" if self.op.module else f"the layer of `{name}`"


def layer(step: StepIndex, op: Op) -> Layer | None:
    """The layer that an op is; None for an op without weights or data."""
    if op.kind not in LAYERS:
        return None
    known = step.parameter_of
    weights = [name for name in op.inputs if name in known or step.value(name).role == "parameter"]
    data = [name for name in op.inputs if name not in weights and step.value(name).role != "buffer"]
    if not weights or not data:
        return None
    weight = max(weights, key=lambda name: len(step.value(name).shape or ()))
    return Layer(op, step.value(data[0]), step.value(weight), known.get(weight))


def expected(found: Layer) -> tuple[int, int] | None:
    """The axis of the data that the weight is about, and the size that it asks for there; None where that can't be told."""
    data, weight = found.data.shape, found.weight.shape
    if not data or not weight:
        return None
    if "weight_axis" in found.op.attributes or "data_axis" in found.op.attributes:
        return _declared(found, data, weight)
    if found.op.kind == "conv":
        return _channels(found, data, weight)
    if found.op.kind == "batch_norm":
        return (1 if len(data) > 1 else 0), weight[0]
    if found.op.kind == "matmul" and len(weight) > 1:
        return len(data) - 1, weight[-2]
    return (len(data) - 1, weight[-1]) if found.op.kind in ("linear", "layer_norm", "rnn", "matmul") else None


def _declared(found: Layer, data: tuple[int, ...], weight: tuple[int, ...]) -> tuple[int, int] | None:
    """Where the front end says which axes meet: Keras keeps the inputs of a weight in front of its outputs, and channels last."""
    axis, mine = found.op.attributes.get("data_axis", -1), found.op.attributes.get("weight_axis", 0)
    if (
        not isinstance(axis, int)
        or not isinstance(mine, int)
        or not -len(data) <= axis < len(data)
        or not -len(weight) <= mine < len(weight)
    ):
        return None
    return axis % len(data), weight[mine] * (_groups(found) if found.op.kind == "conv" else 1)


def units(op: Op, weight: tuple[int, ...]) -> int:
    """How many outputs a layer's weight gives it: PyTorch keeps them on the first axis, Keras and plain products on the last."""
    if not weight:
        return 0
    return weight[-1] if op.kind == "matmul" or "weight_axis" in op.attributes else weight[0]


def unit_axis(op: Op, made: tuple[int, ...]) -> int:
    """The axis of a layer's result on which its outputs lie."""
    first = op.kind == "conv" and op.attributes.get("data_axis") != -1
    return 1 if first and len(made) > 1 else len(made) - 1


def _channels(found: Layer, data: tuple[int, ...], weight: tuple[int, ...]) -> tuple[int, int] | None:
    """Of a convolution: in front of as many axes as its window has. A transposed one has its channels at another place."""
    axis = len(data) - len(weight) + 1
    return (axis, weight[1] * _groups(found)) if axis >= 0 and "transpose" not in found.op.native else None


def _groups(found: Layer) -> int:
    groups = found.op.attributes.get("groups", 1)
    return groups if isinstance(groups, int) else 1


def maker(step: StepIndex, found: Layer) -> Site | None:
    """The line that made the data that a layer was given."""
    made = step.producer.get(found.data.name)
    return made[1].site if made is not None else None
