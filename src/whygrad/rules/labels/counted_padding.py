"""The part of WG112 about language models: what the attention takes for padding counts as labels, since these are the ids that the model reads."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact
from whygrad.flow import StepIndex
from whygrad.flow.attended import marks
from whygrad.flow.makers import making_site
from whygrad.ir import Op, Statistics, Value, family
from whygrad.rules.labels.unmarked_padding import averaged
from whygrad.rules.loss.calls import INTEGERS, Call
from whygrad.rules.phrases import percent, places, typed
from whygrad.rules.remedies import remedy

SHARE = 0.3
"""Share of padding among the positions from which it is said, as for an embedding that declares its padding."""
_PAIR = 2
"""Scores and labels, without weights."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A loss whose labels are the model's own ids, padding and all."""

    call: Call
    ids: Value
    mask: Value
    share: float
    copied: bool
    """The labels are others than what the embedding is given, and hold the same."""


def counted_padding(call: Call) -> Iterator[Counted]:
    """The first attention whose marks leave out a large share of the positions, under a loss that counts them all."""
    step = call.step
    whole = averaged(call) or call.op.attributes.get("reduction") == "sum"
    if not call.by_ids or call.op.failed or not whole or len(call.op.inputs) != _PAIR:
        return
    ids, ignored = _source(step, call.target.name), call.op.attributes.get("ignore_index")
    known, copied = next((found for op in step.of("embedding") if (found := _read(step, op, ids)) is not None), (None, False))
    # timid: ids that the loss ignores may be those of the padding
    if known is None or known.minimum is None or (isinstance(ignored, int | float) and ignored >= known.minimum):
        return
    makers = {name: made for name, (_, made) in step.producer.items()}
    before = step.upstream(call.prediction.name)
    for op in (op for op in step.of("attention") if not before.isdisjoint(op.outputs)):
        for mask in (step.value(name) for name in marks(step.values, makers, op)):
            share = _padding(mask)
            if mask.shape == ids.shape and share is not None and SHARE <= share < 1:
                yield Counted(call, ids, mask, share, copied)
                return


def _source(step: StepIndex, name: str) -> Value:
    """The ids that labels are, shifted by a place or not: nothing on the way writes into them or picks some."""
    while name in step.producer:
        op = step.producer[name][1]
        sliced = op.kind == "index" and len(op.inputs) == 1 and "part" in op.attributes
        if not op.inputs or op.kind == "concat" or not (sliced or family(op.kind) == "layout"):
            break
        name = op.inputs[0]
    return step.value(name)


def _read(step: StepIndex, embedding: Op, ids: Value) -> tuple[Statistics | None, bool] | None:
    """The figures of what the embedding is given, where that is these ids, or others that are the same by all figures; and whether it is others."""
    for name in embedding.inputs:
        found, given = _source(step, name), step.value(name)
        alike = (
            found.statistics is not None
            and found.statistics == ids.statistics
            and found.shape == ids.shape
            and not found.statistics.sampled
        )
        if given.dtype in INTEGERS and given.shape == ids.shape and (found.name == ids.name or alike):
            return given.statistics, found.name != ids.name
    return None


def _padding(mask: Value) -> float | None:
    """The share of zeros of marks that are zeros and ones."""
    figures = mask.statistics
    return (
        figures.zeros
        if figures is not None and not figures.sampled and (figures.minimum, figures.maximum) == (0, 1) and figures.whole == 1.0
        else None
    )


def about_counted(found: Counted) -> Diagnosis:
    """What is said, at the loss."""
    call, mask = found.call, found.mask
    made = making_site(call.index, call.step, found.ids.name) if found.ids.role == "input" and found.copied else None
    site, name = made or call.op.site, mask.called
    words = site is not None and name.isidentifier() and name in site.text
    unlabelled = Edit("wrap", site, f"{{x}}.masked_fill({name} == 0, -100)", keyword="labels") if words and site is not None else None
    return Diagnosis(
        rule="WG112",
        name="padding-used",
        severity="warning",
        confidence="proved",
        message=f"{percent(found.share)} of the positions are padding, which the attention leaves out and the loss counts",
        site=site,
        label="the labels are the ids that the model reads, padding included",
        related=places(
            (call.op.site if made else None, "the loss is computed here"),
            (call.step.producer[mask.name][1].site if mask.name in call.step.producer else None, "the positions are marked here"),
        ),
        evidence=(
            Evidence(f"{typed(mask)}: {percent(found.share, 1)} of its entries are 0, and the attention reads nothing there", "padding", found.share),
            Evidence(f"{typed(found.ids)} holds both the ids that the embedding reads and the labels; no position is marked to be ignored"),
        ),
        help="give the loss labels of their own in which every padded position holds the id that it ignores, or weigh the loss of each position by the marks and divide by their sum",
        facts=frozenset({Fact("odd-input", call.target.name)}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=(found.ids.shown,),
        remedy=remedy("ignore the padding", unlabelled),
    )  # fmt: skip
