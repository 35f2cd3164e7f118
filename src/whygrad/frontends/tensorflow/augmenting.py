"""What a data set's own function does to the pictures of a pair: whether chance turns or cuts the two of them apart. Read from its graph; nothing is run."""

import os
from collections.abc import Iterator
from typing import Any

from whygrad.frontends.source import LIBRARIES
from whygrad.frontends.tensorflow._compat import tf

PAIR = 2
SIDES = 2
"""Axes that a picture has at least."""
MOVING = frozenset((
    "If", "StatelessIf", "Case", "StatelessCase", "Slice", "StridedSlice", "ImageProjectiveTransformV2", "ImageProjectiveTransformV3",
    "CropAndResize", "Roll", "ReverseV2", "SelectV2",
))  # fmt: skip
"""Ops that move entries of a picture, or decide whether it is moved."""
PLAIN = ("RandomUniform", "RandomStandardNormal", "TruncatedNormal")
STATELESS = "StatelessRandom"
DRAWING = (*PLAIN, STATELESS)
"""How the names of ops begin that draw numbers, and of those that are given a seed each time."""

Place = tuple[str, int, str, str]
Attributes = dict[str, Any]


def moved_apart(data_set: Any) -> Attributes:
    """Where each of a pair is moved by a draw that the other one knows nothing of: two places, each as file, line, name and text."""
    while data_set is not None:
        graph = getattr(getattr(getattr(data_set, "_map_func", None), "function", None), "graph", None)
        found = _of_graph(graph) if graph is not None else None
        if found is not None:
            return {"apart": (*found[0], *found[1])}
        data_set = getattr(data_set, "_input_dataset", None)
    return {}


def _of_graph(graph: Any) -> tuple[Place, Place] | None:
    outputs = list(graph.outputs)
    if len(outputs) != PAIR or not _alike(*outputs) or not any(op.type.startswith(DRAWING) for op in graph.get_operations()):
        return None
    one, other = (_moves(output.op) for output in outputs)
    sources = [{op.name for op in _above(output.op) if op.type == "Placeholder"} for output in outputs]
    alone, apart = [one[key] for key in one.keys() - other.keys()], [other[key] for key in other.keys() - one.keys()]
    # two views of one picture are to differ
    if not alone or not apart or len(sources[0] | sources[1]) < PAIR:
        return None
    places = _place(alone[0]), _place(apart[0])
    return (places[0], places[1]) if places[0] is not None and places[1] is not None else None


def _alike(one: Any, other: Any) -> bool:
    """Both are pictures of the same height and width, or of sizes that are not known."""
    if one.shape.rank is None or other.shape.rank is None or min(one.shape.rank, other.shape.rank) < SIDES:
        return False
    return bool(tf.TensorShape(one.shape[:SIDES]).is_compatible_with(other.shape[:SIDES]))


def _above(op: Any) -> list[Any]:
    """An op and all that it is computed from."""
    found, waiting = {op.name: op}, [op]
    while waiting:
        for tensor in waiting.pop().inputs:
            if tensor.op.name not in found:
                found[tensor.op.name] = tensor.op
                waiting.append(tensor.op)
    return list(found.values())


def _moves(op: Any) -> dict[object, Any]:
    """By draw: an op above this one that moves data by it."""
    found: dict[object, Any] = {}
    for one in _above(op):
        if one.type in MOVING and any(_holds_data(tensor.op) for tensor in one.inputs):
            for tensor in one.inputs:
                found.update((draw, one) for draw in _draws(tensor.op))
    return found


def _holds_data(op: Any) -> bool:
    """It is, or is made of, what the function was given."""
    return any(one.type == "Placeholder" for one in _above(op))


def _draws(op: Any) -> Iterator[object]:
    """What decides by chance, unless it is data that was moved before: draws of one seed are one."""
    if _holds_data(op):
        return
    for one in _above(op):
        if one.type.startswith(PLAIN):
            seeds = one.get_attr("seed"), one.get_attr("seed2")
            yield seeds if any(seeds) else one.name
        elif one.type.startswith(STATELESS):
            yield frozenset(_root(root) for tensor in list(one.inputs)[1:] for root in _above(tensor.op) if not root.inputs)


def _root(op: Any) -> object:
    """What a seed is made of: a constant by its value, anything else by its name."""
    return tf.make_ndarray(op.get_attr("value")).tobytes() if op.type == "Const" else op.name


def _place(op: Any) -> Place | None:
    """The innermost line of the program's own that made an op."""
    for frame in reversed(list(op.traceback)):
        if not frame.filename.startswith(("<", *LIBRARIES)) and not os.path.realpath(frame.filename).startswith(LIBRARIES):
            return frame.filename, frame.lineno, frame.name, (frame.line or "")
    return None
