"""Losses that refuse scores whose axes are not those of the labels: an axis that was kept, or entries that were lost at the borders."""

import math
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, consequences, gist
from whygrad.flow.layers import Layer, layer, maker
from whygrad.flow.makers import keeps_axis
from whygrad.idioms import idiom
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Value, family
from whygrad.loss_contracts import contract_of, input_of, target_of
from whygrad.rules.phrases import places, plural, typed
from whygrad.rules.remedies import operand, remedy, setting


def odd_axes(index: Index, failure: Failure, step: StepIndex, op: Op) -> Iterator[Diagnosis]:
    """What is said of a loss that raised."""
    given, target = input_of(op), target_of(op)
    if contract_of(op) is None or given is None or target is None:
        return
    scores, labels = step.value(given), step.value(target)
    yield from _kept_axes(index, failure, step, op)
    yield from _kept_steps(index, failure, step, op, scores, labels)
    yield from _lost_borders(failure, step, op, scores, labels)


def _for_each_step(scores: Value, labels: Value, *, rows: bool) -> bool:
    """The scores have an axis of steps, the second one of three, that the labels lack: each example has one."""
    shape, due = scores.shape or (), labels.shape or ()
    if len(shape) != 3 or due[:1] != shape[:1]:  # noqa: PLR2004 - rows, steps, classes
        return False
    return due[1:] in ((shape[2],), (1,)) if rows else due[1:] in ((), (1,))


def _squeezed(step: StepIndex, scores: Value) -> Value:
    """The scores as the model gave them: Keras' losses take a last axis of size 1 off where the labels have an axis less."""
    made = step.producer.get(scores.name)
    before = step.value(made[1].inputs[0]) if made is not None and made[1].kind == "reshape" and made[1].inputs else scores
    return before if before.shape == (*(scores.shape or ()), 1) else scores


def _kept_steps(index: Index, failure: Failure, step: StepIndex, op: Op, scores: Value, labels: Value) -> Iterator[Diagnosis]:
    """A layer that keeps an axis of steps gives an output for each, and each example has one label."""
    whole = _squeezed(step, scores)
    if not _for_each_step(whole, labels, rows=op.attributes.get("ids") is not True):
        return
    last = keeps_axis(step, whole.name)
    # timid: elsewhere the last output is taken by an index, and which one is the program's to say
    if last is None or not last.native.startswith(("keras.", "tf.")):
        return
    made, recurrent = last.made or last.site, last.kind == "rnn"
    steps = (whole.shape or (0, 0))[1]
    if recurrent:
        off = setting(made, "return_sequences", "False", calls=(last.native.rsplit(".", 1)[-1],))
        cure = remedy("give the last output alone", off) if off else None
        advice = "leave out `return_sequences=True` in the last recurrent layer, which then gives its last output alone"
    else:
        first = _dense_behind(step, whole.name, last)
        cure = _flattened(index, first) if first is not None else None
        advice = "bring the axis to an end before the dense layers: `keras.layers.Flatten()`, or pool over it, `keras.layers.GlobalAveragePooling1D()`"
    yield Diagnosis(
        "WG705",
        "input-shape",
        "error",
        "proved",
        f"{f'`{last.module}`' if last.module else 'a layer'} gives an output for each of {plural(steps, 'step' if recurrent else 'place')}, and each example has one label",
        site=made or failure.site,
        label="gives an output for each step" if recurrent else "an axis of places stays behind it",
        related=places((op.site, "the loss meets an axis too many here")),
        evidence=(_met(whole, labels), _raised(failure)),
        help=advice,
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(f"`{last.module}`",),
        remedy=cure,
    )  # fmt: skip


def _dense_behind(step: StepIndex, name: str, last: Op) -> Layer | None:
    """The dense layer that comes first behind the layer with the axis."""
    found = None
    while name in step.producer and step.producer[name][1] is not last:
        op = step.producer[name][1]
        found = layer(step, op) if op.kind == "linear" else found
        name = op.inputs[0] if op.inputs else ""
    return found


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
    layered = Edit("enlist", first.op.made, "keras.layers.Flatten()", after=False) if keras and first.op.made else None
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
