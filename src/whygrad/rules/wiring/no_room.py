"""Convolutions and poolings whose window does not fit into what they are given, or that count other axes than their input has."""

import re
from collections.abc import Iterator
from dataclasses import replace

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, failed_op, failures, matching
from whygrad.ir import Op
from whygrad.rules.phrases import places, plural
from whygrad.rules.wiring.misgiven_inputs import refused

CONV = re.compile(
    r"Computed output size would be zero or negative\. Received:? `inputs.shape=[\[(](?P<given>[^\])]*)[\])]`, `(?:kernel shape|pool_size)=[\[(](?P<window>[^\])]*)[\])]`"
)
RANK = re.compile(r"Kernel shape must have the same length as input, but received kernel of shape \((?P<kernel>[^)]*)\) and input of shape \((?P<given>[^)]*)\)")  # fmt: skip
PADDED = re.compile(r"Calculated padded input size per channel: \((?P<given>[^)]*)\)\. Kernel size: \((?P<window>[^)]*)\)")
POOLED = re.compile(
    r"Given input size: \((?:\d+x)(?P<given>[\dx]*)\)\. Calculated output size: \([^)]*\)\. Output size is too small"
    r"|pool\dd\(\) Invalid computed output size: 0"
)
"""What Keras (twice) and PyTorch (twice) say."""
_NUMBER = re.compile(r"None|\d+")
CHANNELS = 4
"""Pictures have 1, 3 or 4 channels, and a series or a row of features one."""

Shape = tuple[str, ...]


def no_room(index: Index) -> Iterator[Diagnosis]:
    """One for each call that raised so."""
    for failure, match in matching(index, CONV):
        yield _of_keras(failure, _sizes(match["given"]), _sizes(match["window"]))
    for failure, match in matching(index, RANK):
        yield _of_rank(failure, len(_sizes(match["kernel"])), _sizes(match["given"]))
    for pattern in (PADDED, POOLED):
        for failure, match in matching(index, pattern):
            fields = match.groupdict()
            yield _too_small(failure, _sizes(fields["given"] or ""), _sizes(fields.get("window") or ""), slice(2, None))

    yield from (_of_nothing(failure) for failure in index.once(failures) if _empty(failure))


def _sizes(written: str) -> Shape:
    return tuple(_NUMBER.findall(written))


def _written(shape: Shape) -> str:
    return f"[{','.join(part.replace('None', '*') for part in shape)}]"


def _of_keras(failure: Failure, shape: Shape, window: Shape) -> Diagnosis:
    """Keras tells the whole shape, rows first and channels last, and of a kernel its channels too."""
    middle = shape[1:-1]
    if _stands_in_front(shape):
        return _channels_first(failure, shape)
    return _too_small(failure, middle, window[: len(middle)], slice(1, -1))


def _stands_in_front(shape: Shape) -> bool:
    """What counts as height, or as steps, is a number of channels, and what counts as channels is none: the axes stand as PyTorch and Theano have them."""
    numbers = [int(part) if part.isdigit() else 0 for part in shape]
    first, rest = numbers[1], numbers[2:]
    return len(shape) >= 3 and 0 < first <= CHANNELS < min(rest)  # noqa: PLR2004 - rows, steps, features


def _channels_first(failure: Failure, shape: Shape) -> Diagnosis:
    moved = (shape[0], *shape[2:], shape[1])
    order = ", ".join(("0", *(str(at) for at in range(2, len(shape))), "1"))
    declared = f"({', '.join(moved[1:])})"
    move = f"`x.reshape(-1, {declared[1:-1]})`" if shape[1] == "1" else f"`np.transpose(x, ({order}))`"
    return _placed(
        failure,
        f"{_layer(failure)} reads the last axis as channels, and {_written(shape)} has {'its single channel' if shape[1] == '1' else f'its {shape[1]} channels'} on axis 1",
        f"is given {shape[1]} x {shape[2]} points of {shape[-1]} channels" if len(shape) > 3 else f"is given {plural(int(shape[1]), 'step')} of {shape[-1]} features",  # noqa: PLR2004 - rows, height, width
        Evidence(f"it is given {_written(shape)}"),
        f"put the channel axis last, in the data ({move}) and where the model declares them: `{declared}`",
    )  # fmt: skip


def _too_small(failure: Failure, middle: Shape, window: Shape, axes: slice) -> Diagnosis:
    step, op = failure.step, failed_op(failure.step)
    way = _way(step, op, axes) if step is not None and op is not None else ()
    left = " x ".join(middle) or (way[-1] if way else "too little")
    asked = f"needs {' x '.join(window)} or more" if window else "takes more at once"
    said = f"{_layer(failure)} {asked}, and is given {left}"
    return _placed(
        failure,
        f"{said}: the layers before it have taken the rest" if len(way) > 1 else said,
        f"is given {left}, and {asked}",
        Evidence(f"the sizes on the way here: {', then '.join(way)}" if len(way) > 1 else f"it is given {left}, and {asked}"),
        'keep the sizes on the way, `padding="same"` in the convolutions, take out a pooling, or give the model larger inputs',
    )


def _of_rank(failure: Failure, due: int, shape: Shape) -> Diagnosis:
    """Keras counts the axes of the input, the batch included."""
    more = len(shape) - due
    inner = f"({', '.join(shape[1 + more :])})"
    cure = (
        f"leave out what counts the examples where the shape is declared, the batch axis does not belong there: `{inner}`"
        if more > 0
        else "give the data the axis that is lacking, the channels as the last one, and declare it"
    )
    return _placed(
        failure,
        f"{_layer(failure)} reads {due} axes, the batch and the channels included, and is given {len(shape)}: {_written(shape)}",
        f"{abs(more)} {'too many' if more > 0 else 'too few'}",
        Evidence(f"it is given {_written(shape)}"),
        cure,
    )


def _layer(failure: Failure) -> str:
    op = failed_op(failure.step)
    return f"`{op.module}`" if op is not None and op.module else "the layer made here"


def _placed(failure: Failure, said: str, label: str, known: Evidence, advice: str) -> Diagnosis:
    """At the layer, where it was made if that is known."""
    op = failed_op(failure.step)
    found = refused(failure, said, label, known, advice, "layer")
    made = op.made if op is not None else None
    if made is None:
        return found
    elsewhere = failure.site is not None and failure.site.line_of_code != made.line_of_code
    return replace(found, site=made, related=places((failure.site if elsewhere else None, "it is called here")))


def _empty(failure: Failure) -> bool:
    """Flax' and JAX' initializers divide by the number of a weight's inputs and outputs."""
    library = failure.site.library if failure.site is not None else ()
    return failure.type == "ZeroDivisionError" and any(frame.function.endswith("_compute_fans") for frame in library)


def _of_nothing(failure: Failure) -> Diagnosis:
    found = _placed(
        failure,
        "the weight made here would have an axis of size 0: nothing is left of what the layer is given",
        "is given nothing",
        Evidence("the initializer divides by the number of the weight's inputs and outputs, and one of them is 0"),
        "look at the shapes on the way, `x.shape` behind each layer: convolutions and poolings without padding have taken all, or the channels stand where the "
        "sides are due (flax reads [rows, height, width, channels])",
    )
    return replace(found, evidence=found.evidence[:1])


def _way(step: StepIndex, op: Op, middle: slice) -> tuple[str, ...]:
    """The sizes between batch and channels on the way to the call that raised, each once."""
    sizes: list[str] = []
    name, axes = (op.inputs[0], len(step.value(op.inputs[0]).shape or ())) if op.inputs else ("", 0)
    while name and len(step.value(name).shape or ()) == axes:
        sizes.append(" x ".join(str(size) for size in (step.value(name).shape or ())[middle]))
        maker = step.producer.get(name)
        name = maker[1].inputs[0] if maker is not None and maker[1].inputs else ""
    return tuple(dict.fromkeys(reversed(sizes)))
