"""Layers that refuse shapes while the model is built: those that join inputs of different sizes, and weights whose size is not known."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index
from whygrad.flow.failures import Failure, matching
from whygrad.rules.wiring.misgiven_inputs import refused

JOINED = re.compile(
    r"`?Concatenate`? layer requires inputs with matching shapes except for the concatenation axis\. Received: input_shape=\[(?P<shapes>.*)\]"
)
ADDED = re.compile(r"Inputs have incompatible shapes\. Received shapes (?P<shapes>\([^)]*\) and \([^)]*\))")
UNKNOWN = re.compile(
    r"must be fully-defined \(no `None` dimensions\)\. Received: shape=\((?P<shape>[^)]*)\) for variable path='(?P<path>[^']*)'"
)
"""What Keras says of each."""
_SHAPE = re.compile(r"\(([^()]*)\)")
_IMAGE = 4
"""Axes of a batch of pictures."""

Shape = tuple[str, ...]


def refused_merges(index: Index) -> Iterator[Diagnosis]:
    """One for each layer that refused so."""
    for failure, match in matching(index, JOINED):
        yield from _of_join(failure, _shapes(match["shapes"]))
    for failure, match in matching(index, ADDED):
        yield from _of_sum(failure, _shapes(match["shapes"]))
    for failure, match in matching(index, UNKNOWN):
        yield _of_unknown(failure, match["path"], tuple(part.strip() for part in match["shape"].split(",") if part.strip()))


def _shapes(written: str) -> tuple[Shape, ...]:
    return tuple(tuple(part.strip() for part in shape.split(",") if part.strip()) for shape in _SHAPE.findall(written))


def _odd(shapes: tuple[Shape, ...]) -> list[int]:
    """The axes on which they differ; none where they have not the same number of axes."""
    if len({len(shape) for shape in shapes}) != 1:
        return []
    return [axis for axis in range(1, len(shapes[0])) if len({shape[axis] for shape in shapes}) > 1]


def _written(shape: Shape) -> str:
    return f"[{','.join(part.replace('None', '*') for part in shape)}]"


def _listed(shapes: tuple[Shape, ...]) -> str:
    return " and ".join(_written(shape) for shape in shapes)


def _of_join(failure: Failure, shapes: tuple[Shape, ...]) -> Iterator[Diagnosis]:
    """Inputs are joined along one axis, and must be alike on all others."""
    if len(shapes) < 2:  # noqa: PLR2004 - two to be joined
        return
    odd = _odd(shapes)
    if not odd:
        axes = " and ".join(str(len(shape)) for shape in shapes)
        said, cure = (
            f"`Concatenate` is to join inputs of {axes} axes",
            "flatten or pool the input with more axes before, `keras.layers.Flatten()`, or give the other one the axes that it lacks",
        )
    elif len(shapes[0]) >= _IMAGE and odd[0] < len(shapes[0]) - 1:
        sizes = [" x ".join(shape[1:-1]) for shape in shapes]
        said = f"`Concatenate` is to join maps of {' and '.join(sizes)}"
        cure = 'keep their sizes alike: `padding="same"` in the convolutions on the way and sides that can be halved as often as they are pooled, or crop the larger one (`keras.layers.Cropping2D`)'
    else:
        said, cure = (
            f"`Concatenate` is to join {_listed(shapes)}, which differ on axis {odd[0]}",
            "join along the axis on which they differ (`axis=…`), or bring them to one size there",
        )
    yield _refused(
        failure, said, "the sizes differ on another axis than the one that is joined", Evidence(f"it is given {_listed(shapes)}"), cure
    )


def _of_sum(failure: Failure, shapes: tuple[Shape, ...]) -> Iterator[Diagnosis]:
    """Inputs are added, multiplied or the like, entry by entry."""
    # timid: without an axis of its own to differ on there is nothing to name
    if len(shapes) == 2 and shapes[0] != shapes[1]:  # noqa: PLR2004 - Keras tells two
        cure = "give both the same size: a convolution with kernel size 1, or a `Dense`, of the other's width on the shorter way, with the same strides and padding on both"
        yield _refused(
            failure, f"{_listed(shapes)} can't be added or multiplied entry by entry", "the two ways have different sizes", Evidence(f"the layer is given {_listed(shapes)}"), cure,
        )  # fmt: skip


def _of_unknown(failure: Failure, path: str, shape: Shape) -> Diagnosis:
    """A weight whose size comes from an axis that was left open."""
    layer, _, weight = path.rpartition("/")
    return _refused(
        failure,
        f"`{layer.rpartition('/')[2] or path}` can't make its `{weight}`: the size of its input's axis is not known",
        "its weights need a size that the model's input leaves open",
        Evidence(f"the weight would be {_written(shape)}"),
        "declare that axis where the model's input is made (`keras.Input(shape=(…, features))`), or take the open axis away before: pooling over it in place of a `Flatten`",
    )


def _refused(failure: Failure, message: str, label: str, known: Evidence, advice: str) -> Diagnosis:
    return refused(failure, message, label, known, advice, "layer")
