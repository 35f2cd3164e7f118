"""The part of WG104 about pictures and masks that a data set's own function flips or cuts, each by a draw of its own."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.ir import Event, Op, Site
from whygrad.loss_contracts import input_of, target_of
from whygrad.rules.phrases import places, typed

_PLACE = 4
"""Entries of a place: file, line, name and text."""


def augmented_apart(index: Index) -> Iterator[Diagnosis]:
    """One for each kind of step whose loss compares the one with what is made of the other."""
    for steps in index.kinds.values():
        found = next(((step, event, op) for step in steps for event, op in _compared(step)), None)
        if found is not None:
            yield _diagnosis(*found)


def _compared(step: StepIndex) -> Iterator[tuple[Event, Op]]:
    """A batch of such pairs, and the loss whose target is the second and whose prediction is made of the first alone."""
    for event in step.events("batch"):
        if len(event.targets) != 2 or not isinstance(event.attributes.get("apart"), tuple):  # noqa: PLR2004 - a pair
            continue
        picture, mask = event.targets
        for op in step.loss_ops():
            prediction, target = input_of(op), target_of(op)
            if prediction is None or target is None or mask not in {target, *step.upstream(target)}:
                continue
            above = step.upstream(prediction)
            if picture in above and mask not in above and not op.failed:
                yield event, op


def _sites(event: Event) -> tuple[Site, ...]:
    told = event.attributes["apart"]
    parts = (told[:_PLACE], told[_PLACE:]) if isinstance(told, tuple) else ()
    return tuple(
        Site(str(file), int(line), function=str(name), text=str(text)) for file, line, name, text in parts if isinstance(line, int)
    )


def _diagnosis(step: StepIndex, event: Event, op: Op) -> Diagnosis:
    picture, mask = (step.value(name) for name in event.targets)
    first, second = _sites(event)
    return Diagnosis(
        rule="WG104",
        name="misaligned-labels",
        severity="error",
        confidence="proved",
        message=f"`{mask.shown}` is flipped or cut by another draw than `{picture.shown}`, so that they do not fit each other",
        site=second,
        label="moves the labels by a draw of its own",
        related=places(
            (first if first != second else None, "and the inputs are moved by this one"), (op.site, "entry is compared with entry here")
        ),
        evidence=(
            Evidence(
                f"in the function that the data set maps, what moves {typed(picture)} and what moves {typed(mask)} have each a draw that the other has not"
            ),
        ),
        help="move both by one draw: join them along the channels first (`tf.concat([image, mask], axis=-1)`) and split them afterwards, or give both calls one `seed` (`tf.image.stateless_random_…`)",
        facts=frozenset({Fact("odd-input", mask.name)}),
        explains=frozenset({Fact("stands", str(step.step.kind)), Fact("insensitive", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(mask.shown, picture.shown),
    )
