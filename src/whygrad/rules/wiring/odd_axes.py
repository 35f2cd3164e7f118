"""Losses that refuse scores whose axes are not those of the labels: an axis that was kept, or entries that were lost at the borders."""

import math
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, consequences, gist
from whygrad.flow.layers import Layer, layer, maker
from whygrad.idioms import idiom
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Value, family
from whygrad.loss_contracts import contract_of, input_of, target_of
from whygrad.rules.phrases import places, typed
from whygrad.rules.remedies import operand, remedy, setting


def odd_axes(index: Index, failure: Failure, step: StepIndex, op: Op) -> Iterator[Diagnosis]:
    """What is said of a loss that raised."""
    given, target = input_of(op), target_of(op)
    if contract_of(op) is None or given is None or target is None:
        return
    scores, labels = step.value(given), step.value(target)
    yield from _kept_axes(index, failure, step, op)
    yield from _kept_steps(failure, step, op, scores, labels)
    yield from _lost_borders(failure, step, op, scores, labels)


def _for_each_step(scores: Value, labels: Value, *, rows: bool) -> bool:
    """The scores have an axis of steps, the second one of three, that the labels lack: each example has one."""
    shape, due = scores.shape or (), labels.shape or ()
    if len(shape) != 3 or due[:1] != shape[:1]:  # noqa: PLR2004 - rows, steps, classes
        return False
    return due[1:] in ((shape[2],), (1,)) if rows else due[1:] in ((), (1,))


def _kept_steps(failure: Failure, step: StepIndex, op: Op, scores: Value, labels: Value) -> Iterator[Diagnosis]:
    """A recurrent layer gives an output for each step, and each example has one label."""
    if not _for_each_step(scores, labels, rows=op.attributes.get("ids") is not True):
        return
    last = _last_recurrent(step, scores.name)
    # timid: elsewhere the last output is taken by an index, and which one is the program's to say
    if last is None or not last.native.startswith("keras.") or (step.value(last.output).shape or ())[:2] != (scores.shape or ())[:2]:
        return
    made = last.made or last.site
    steps = (scores.shape or (0, 0))[1]
    off = setting(made, "return_sequences", "False", calls=(last.native.rsplit(".", 1)[-1],))
    yield Diagnosis(
        "WG705",
        "input-shape",
        "error",
        "proved",
        f"`{last.module}` gives an output for each of {steps:,} steps, and each example has one label",
        site=made or failure.site,
        label="gives an output for each step",
        related=places((op.site, "the loss meets an axis too many here")),
        evidence=(_met(scores, labels), _raised(failure)),
        help="leave out `return_sequences=True` in the last recurrent layer, which then gives its last output alone",
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(f"`{last.module}`",),
        remedy=remedy("give the last output alone", off) if off else None,
    )  # fmt: skip


def _last_recurrent(step: StepIndex, name: str) -> Op | None:
    """The recurrent layer that the scores come from, with nothing but dense layers and entry-by-entry ops behind it."""
    while name in step.producer:
        op = step.producer[name][1]
        if op.kind == "rnn":
            return op
        # timid: pooling over the steps, attention and reshaping may have been meant to leave the axes as they are
        if op.kind not in ("linear", "dropout", "batch_norm", "layer_norm") and family(op.kind) not in ("activation", "arithmetic", "cast"):
            return None
        if not op.inputs:
            return None
        name = op.inputs[0]
    return None


def _lost_borders(failure: Failure, step: StepIndex, op: Op, scores: Value, labels: Value) -> Iterator[Diagnosis]:
    """Scores for pixels, or steps, that are fewer than the labels have: convolutions without padding have taken the borders off."""
    shape, due = scores.shape or (), labels.shape or ()
    odd = [at for at in range(1, len(shape)) if len(shape) == len(due) and shape[at] != due[at]]
    if not odd or shape[:1] != due[:1] or len(shape) < 3 or any(shape[at] > due[at] for at in odd):  # noqa: PLR2004 - rows, places, channels
        return
    narrow = [item for item in _convolutions(step, scores.name) if _narrows(step, item, odd[0])]
    if not narrow:
        return
    first = narrow[-1]
    made = first.made or first.site
    sizes = (
        [(step.value(item.inputs[0]).shape or ())[odd[0]] for item in narrow],
        [(step.value(item.output).shape or ())[odd[0]] for item in narrow],
    )
    yield Diagnosis(
        "WG705",
        "input-shape",
        "error",
        "proved",
        f"each example has {_by(due, odd)} labels, and {_scores(scores)} {_by(shape, odd)} scores: `{first.module}` takes the borders off",
        site=made or failure.site,
        label=f"makes {sizes[1][-1]:,} of {sizes[0][-1]:,}",
        related=places(
            *(
                (item.made or item.site, f"makes {sizes[1][at]:,} of {sizes[0][at]:,}")
                for at, item in reversed(list(enumerate(narrow[:-1])))
            ),
            (op.site, "the loss compares entry by entry here"),
        ),
        evidence=(_met(scores, labels), _raised(failure)),
        help='let the convolutions keep the size, `padding="same"`, or crop the labels to what they leave',
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(f"`{item.module}`" for item in narrow),
        remedy=_padded(narrow),
    )


def _padded(narrow: list[Op]) -> Remedy | None:
    """Padding for each of them."""
    edits = [setting(item.made or item.site, "padding", '"same"', calls=(item.native.rsplit(".", 1)[-1],)) for item in narrow]
    found = [edit for edit in edits if edit is not None]
    return remedy("let the convolutions keep the size", *found) if len(found) == len(narrow) else None


def _convolutions(step: StepIndex, name: str) -> Iterator[Op]:
    """The convolutions on the way back from the scores, along the first input of each op; the last one first."""
    while name in step.producer:
        op = step.producer[name][1]
        if op.kind == "conv" and op.inputs:
            yield op
        if not op.inputs:
            return
        name = op.inputs[0]


def _narrows(step: StepIndex, op: Op, axis: int) -> bool:
    """It makes an axis a little shorter, by less than half: a stride would make it shorter by half or more."""
    before, after = step.value(op.inputs[0]).shape or (), step.value(op.output).shape or ()
    return len(before) == len(after) > axis and before[axis] / 2 < after[axis] < before[axis]


def _by(shape: tuple[int, ...], axes: list[int]) -> str:
    return " x ".join(f"{shape[at]:,}" for at in axes)


def _scores(scores: Value) -> str:
    return f"`{scores.called}`" if scores.called else "the prediction"


def _met(scores: Value, labels: Value) -> Evidence:
    return Evidence(f"{typed(scores)} against {typed(labels)}: the loss raised", "axes", len(scores.shape or ()))


def _raised(failure: Failure) -> Evidence:
    return Evidence(f"the call raised: {(gist(failure.message) or failure.type).rstrip('.')[:200]}")


def _kept_axes(index: Index, failure: Failure, step: StepIndex, op: Op) -> Iterator[Diagnosis]:
    """A loss on class ids that refused scores with more axes than one, which dense layers have kept from the data: a flatten is missing."""
    given, target = input_of(op), target_of(op)
    if op.attributes.get("ids") is not True or op.attributes.get("axis") != -1 or given is None or target is None:
        return
    scores, ids = step.value(given), step.value(target)
    first = _first_dense(step, given)
    shape = scores.shape or ()
    if first is None or len(shape) < 3 or ids.shape != shape[:1] or (first.data.shape or ())[:-1] != shape[:-1]:  # noqa: PLR2004 - rows, kept axes, classes
        return
    yield Diagnosis(
        "WG705",
        "input-shape",
        "error",
        "proved",
        f"{first.shown} works on the last axis of {_name(first)} ({first.data.type}) alone: each example gets {math.prod(shape[1:-1]):,} rows of scores, and has one label",
        site=first.op.made or first.op.site or failure.site,
        label="the other axes pass through it as they are",
        related=places((op.site, "the loss meets too many axes here"), (maker(step, first), f"{_name(first)} is made here")),
        evidence=(
            Evidence(f"{typed(scores)} has the axes {shape[1:-1]} of {_name(first)} between rows and classes, and {typed(ids)} has none", "axes", len(shape)),
            Evidence(f"the call raised: {(gist(failure.message) or failure.type).rstrip('.')[:200]}"),
        ),
        help=f"flatten it before: {idiom(index, 'flatten', name=first.data.called or 'x', axis=1)}",
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(first.shown,),
        remedy=_flattened(index, first),
    )  # fmt: skip


def _flattened(index: Index, first: Layer) -> Remedy | None:
    """One more layer in front, in Keras' lists of layers; else what the layer is given, where it is called."""
    keras = any(framework.name == "keras" for framework in index.record.frameworks)
    layered = Edit("enlist", first.op.made, "keras.layers.Flatten()") if keras and first.op.made else None
    called = operand(first.op, first.data, spelling(index, "flattened", axis=1))
    edits = [edit for edit in (layered, called) if edit is not None]
    return remedy("flatten what comes in", *edits[:1], otherwise=edits[1:]) if edits else None


def _first_dense(step: StepIndex, scores: str) -> Layer | None:
    """The first of the dense layers that the scores come from, with nothing but dense layers and entry-by-entry ops behind it."""
    found, name = None, scores
    while name in step.producer:
        op = step.producer[name][1]
        if op.kind == "linear":
            found = layer(step, op)
        elif family(op.kind) not in ("activation", "arithmetic", "layout", "cast") and op.kind != "dropout":
            # timid: behind a recurrent layer, an embedding or attention another axis may have been meant to go
            return found if op.kind in ("conv", "max_pool", "avg_pool") or family(op.kind) == "create" or not op.inputs else None
        if not op.inputs:
            break
        name = op.inputs[0]
    return found


def _name(found: Layer) -> str:
    return f"`{found.data.called}`" if found.data.called else "its input"
