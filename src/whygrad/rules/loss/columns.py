"""Class ids that a loss written by hand brings together with a column for each class."""

from collections.abc import Iterator

from whygrad.flow import StepIndex
from whygrad.ir import Op, Value
from whygrad.rules.loss.calls import bounds

_LIMITED = frozenset(("log", "clamp", "maximum", "minimum", "cast", "div"))
"""What stands between a softmax and the labels where the program writes a cross-entropy out."""
_SIGNED = ("cast", "neg")
_JOINS = frozenset(("mul", "sub"))

Product = tuple[Op, Value, Value, int]
"""The op, the prediction, the ids, and the axis of the classes."""


def products(step: StepIndex) -> Iterator[Product]:
    """Products and differences of a softmax, or its logarithm, over classes with ids that were given an axis of size 1 for the classes."""
    for op in step.graph.ops:
        if op.kind not in _JOINS or len(op.inputs) != 2 or step.shapes_loss.isdisjoint(op.outputs):  # noqa: PLR2004 - two operands
            continue
        for one, other in (op.inputs, op.inputs[::-1]):
            axis = class_axis(step, one)
            prediction, ids = step.value(one), _plain(step, other)
            if axis is not None and other in step.from_labels - step.depends_on_parameters and are_ids(prediction, ids, axis):
                yield op, prediction, ids, axis


def refused_products(step: StepIndex) -> Iterator[Product]:
    """The same where the ids have no axis for the classes, so that the framework refused to bring them together."""
    for op in step.graph.ops:
        if op.kind not in _JOINS or not op.failed or len(op.inputs) != 2:  # noqa: PLR2004 - two operands
            continue
        for one, other in (op.inputs, op.inputs[::-1]):
            axis, prediction, ids = class_axis(step, one), step.value(one), _plain(step, other)
            shape = prediction.shape or ()
            lacks = axis is not None and ids.shape == shape[:axis] + shape[axis + 1 :]
            if axis is not None and lacks and other in step.from_labels - step.depends_on_parameters and count(ids, shape[axis]):
                yield op, prediction, ids, axis


def _plain(step: StepIndex, name: str) -> Value:
    """The labels before their sign was changed."""
    made = step.producer.get(name)
    return _plain(step, made[1].inputs[0]) if made is not None and made[1].kind == "neg" and made[1].inputs else step.value(name)


def class_axis(step: StepIndex, name: str) -> int | None:
    """The axis over which `name` is a softmax of several classes, or its logarithm, limits put in between."""
    made, shape = step.producer.get(step.origin(name, _SIGNED)), step.value(name).shape
    while made is not None and (made[1].kind in _LIMITED or (made[1].kind == "add" and len(made[1].inputs) == 1)) and made[1].inputs:
        made = step.producer.get(made[1].inputs[0])
    axis = made[1].attributes.get("axis") if made and made[1].kind in ("softmax", "log_softmax") else None
    return axis % len(shape) if isinstance(axis, int) and shape and shape[axis % len(shape)] > 1 else None


def are_ids(prediction: Value, ids: Value, axis: int) -> bool:
    """Whole numbers from 0 to the number of classes, one for all classes."""
    shape = ids.shape
    if not shape or not prediction.shape or len(shape) != len(prediction.shape) or shape[axis] != 1:
        return False
    return count(ids, prediction.shape[axis])


def count(ids: Value, classes: int) -> bool:
    """Whole numbers from 0 to the number of classes, above 1 some of them."""
    figures, range_ = ids.statistics, bounds(ids)
    return figures is not None and range_ is not None and figures.whole == 1.0 and range_[0] >= 0 and 1 < range_[1] < classes
