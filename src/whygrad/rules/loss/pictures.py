"""The part of WG211 about pictures (height, width, channels) that are reshaped to (channels, height, width) instead of having their axes moved."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.idioms import speaks_torch, spelled
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op
from whygrad.rules.labels.ways import way
from whygrad.rules.phrases import places, typed
from whygrad.rules.remedies import GIVEN, remedy

MOST_CHANNELS = 4
"""Red, green, blue and one more: of other last axes nothing is known."""
SMALLEST = 8
"""Height and width from which a tensor with such a last axis is a picture. None of 161 programs of the corpus reshapes anything to the same sizes in another order on the way to a convolution."""
_AXES = 3
_KEEPS = ("concat", "index", "copy", "expand", "cast")


def cut_pictures(index: Index) -> Iterator[Diagnosis]:
    """One for each reshaping whose result a convolution reads as channels, height and width."""
    seen = set[object]()
    for step in index.steps if speaks_torch(index) else ():
        for conv in step.of("conv"):
            op = _cut(step, conv) if conv.inputs else None
            if op is not None and op.site is not None and op.site.line_of_code not in seen:
                seen.add(op.site.line_of_code)
                yield _diagnosis(index, step, conv, op)


def _cut(step: StepIndex, conv: Op) -> Op | None:
    """The reshaping, where after it nothing moves an axis."""
    read = step.value(conv.inputs[0]).shape or ()
    if len(read) != _AXES + 1 or conv.inputs[0] in step.depends_on_parameters:
        return None
    for op in way(step, conv.inputs[0]).ops:
        before, after = step.value(op.inputs[0]).shape or (), step.value(op.output).shape or ()
        if op.kind == "reshape" and _turns_round(before, after):
            return op if after[-_AXES] == read[1] else None
        added = op.kind == "reshape" and after[-_AXES:] == before[-_AXES:]
        # timid: what moves or crops axes afterwards may put them right again
        if op.kind == "transpose" or (op.kind == "reshape" and not added):
            return None
    return None


def _turns_round(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """(…, height, width, channels) became (…, channels, height, width) by name alone."""
    if len(before) != len(after) or len(before) < _AXES or before[:-_AXES] != after[:-_AXES]:
        return False
    *size, channels = before[-_AXES:]
    return 1 < channels <= MOST_CHANNELS and min(size) >= SMALLEST and after[-_AXES:] == (channels, *size)


def _diagnosis(index: Index, step: StepIndex, conv: Op, op: Op) -> Diagnosis:
    before, after = step.value(op.inputs[0]), step.value(op.output)
    channels = (before.shape or (0,))[-1]
    names = tuple(dict.fromkeys((spelled(op), "reshape", "view")))
    moved = Edit("wrap", op.site, spelling(index, "axis moved", axis=-1, to=-_AXES), names, position=GIVEN) if op.site else None
    return Diagnosis(
        rule="WG211",
        name="wrong-axis",
        severity="warning",
        confidence="proved",
        message=f"reshaping `{before.shown}` from {before.type} to {after.type} cuts its rows into channels: the axes have to be moved",
        site=op.site,
        label=f"the {channels} channels lie on the last axis, and no axis is moved here",
        related=places((conv.site, f"a convolution takes axis 1 for the {channels} channels")),
        evidence=(
            Evidence(
                f"{typed(before)} keeps its entries in their order: the first of the {channels} channels after it holds the upper part of the picture, its {channels} channels side by side"
            ),
        ),
        help=f"move the channels instead: `{before.written}.movedim(-1, -3)`",
        facts=frozenset({Fact("odd-input", after.name)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(before.shown, after.shown),
        remedy=remedy("move the channels before reshaping", moved),
    )
