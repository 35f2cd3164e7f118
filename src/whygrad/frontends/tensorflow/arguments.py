"""What a value without a name is called where the program hands it over: `points[chosen]`, of `model(points[chosen])`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from whygrad.frontends.arguments import argument_at
from whygrad.ir import Op, family

TARGETS, PREDICTIONS, INPUTS = ("y_true", "labels"), ("y_pred", "logits"), ("inputs", "x")
"""Keywords of Keras' and TensorFlow's functions."""


def written(ops: Sequence[Op], passing: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Values that no op of the step made, with the arguments that they were at a loss or a layer."""
    makers = {name: op for op in ops for name in op.outputs}
    for op in ops:
        for at, number, keywords in _meant(op):
            text = argument_at(op.site, number, keywords)
            name = _source(op.inputs[at], makers, passing) if at < len(op.inputs) else None
            if text and name:
                yield name, text


def _meant(op: Op) -> Iterable[tuple[int, int, tuple[str, ...]]]:
    """Positions among the op's inputs, and which argument of the call each is."""
    if family(op.kind) == "loss" and op.native.startswith("keras."):
        target = op.attributes.get("target", 1)
        return ((target, 0, TARGETS), (1 - target, 1, PREDICTIONS)) if isinstance(target, int) and target in (0, 1) else ()
    return ((0, 0, INPUTS),) if op.native.startswith("keras.layers.") else ()


def _source(name: str, makers: Mapping[str, Op], passing: tuple[str, ...]) -> str | None:
    """Where a value comes from through what leaves it as it was; None where the step made it."""
    while name in makers and makers[name].kind in passing and makers[name].inputs:
        name = makers[name].inputs[0]
    return None if name in makers else name
