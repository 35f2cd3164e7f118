"""Padding that nothing declares: labels of class 0 in as many positions as token ids are 0, in every batch, and all of them counted."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op, Value
from whygrad.rules.loss.calls import INTEGERS, Call, calls
from whygrad.rules.phrases import percent, places, typed

SHARE = 0.75
"""Share of zeros from which three of four numbers in the mean are of padding; that it is padding is only inferred, so it has to be most of the mean."""
BATCHES = 2
"""Recorded batches that must agree: one may hold as many zeros on both sides by chance."""
PAIR = 2
"""Prediction and target: what a loss is given besides are weights, a mask among them."""
_PICKED = ("layout", "cast", "select")


@dataclass(frozen=True, slots=True)
class Alike:
    """A loss whose labels have zeros where the ids of an embedding have them, as far as their numbers tell."""

    call: Call
    embedding: Op
    ids: Value
    share: float


def unmarked(index: Index) -> Iterator[Diagnosis]:
    """One diagnosis for each loss, where all recorded batches show it."""
    found: dict[object, list[Alike]] = {}
    seen: dict[object, int] = {}
    for call in calls(index):
        key = (call.step.step.kind, call.op.site.line_of_code if call.op.site else None)
        seen[key] = seen.get(key, 0) + 1
        alike = next(equal_zeros(call), None)
        if alike is not None:
            found.setdefault(key, []).append(alike)
    for where, group in found.items():
        # timid: where the share is the same in all batches, every row may have the same few marks
        if len(group) == seen[where] >= BATCHES and len({one.share for one in group}) > 1:
            yield about(group)


def equal_zeros(call: Call) -> Iterator[Alike]:
    """The embedding of ids of the labels' shape with exactly the labels' share of zeros."""
    step, target = call.step, call.step.value(call.step.origin(call.target.name, _PICKED))
    figures = target.statistics
    # timid: a loss that is not averaged as it is may be masked or weighted behind
    plain = call.by_ids and averaged(call) and call.op.attributes.get("ignore_index") != 0 and len(call.op.inputs) == PAIR
    if not plain or call.op.failed or figures is None or figures.zeros is None or not SHARE <= figures.zeros < 1:
        return
    for op in step.graph.ops:
        ids = _ids(step, op) if op.kind == "embedding" else None
        known = ids.statistics if ids is not None else None
        if ids is None or known is None or ids.shape != target.shape or known.zeros != figures.zeros:
            continue
        # timid: ids that are to be given back as they are tell nothing of padding
        if known.distinct != figures.distinct and known.maximum != figures.maximum:
            yield Alike(call, op, ids, figures.zeros)


def averaged(call: Call) -> bool:
    """It is a mean over all positions, or a loss for each of them that nothing reads but a mean."""
    asked = call.op.attributes.get("reduction")
    return asked == "mean" if asked != "none" else own_mean(call) is not None


def own_mean(call: Call) -> Op | None:
    """The mean that alone reads a loss for each position."""
    if call.op.attributes.get("reduction") != "none":
        return None
    readers = [op for op in call.step.consumers.get(call.op.output, ()) if not call.step.shapes_loss.isdisjoint(op.outputs)]
    whole = len(readers) == 1 and readers[0].kind == "mean" and not call.step.value(readers[0].output).shape
    return readers[0] if whole else None


def _ids(step: StepIndex, op: Op) -> Value | None:
    """What an embedding reads, where it is not told of padding."""
    whole = (name for name in op.inputs if step.value(step.origin(name, ("cast",))).dtype in INTEGERS)
    name = next(whole, None)
    return step.value(step.origin(name, _PICKED)) if name is not None and op.attributes.get("padding_idx") is None else None


def about(group: list[Alike]) -> Diagnosis:
    """What is said, at the loss."""
    first = group[0]
    call, shares = first.call, [percent(one.share, 1) for one in group]
    name, ids, mean = call.target.shown, first.ids.shown, own_mean(call)
    return Diagnosis(
        rule="WG112",
        name="padding-used",
        severity="warning",
        confidence="suspected",
        message=f"{percent(first.share)} of the labels in `{name}` are 0, in as many positions as `{ids}` is 0, and all of them count in the loss",
        site=mean.site if mean is not None and mean.site else first.embedding.site,
        label="takes the mean over padding too"
        if mean is not None and mean.site
        else f"reads the id 0 like any other: it is {percent(first.share)} of `{ids}`",
        related=places(
            (first.embedding.site if mean is not None and mean.site else None, "the id 0 is read like any other here"),
            (
                call.op.made or call.op.site,
                "the loss of each position is made here" if mean is not None else "the mean over all positions is taken here",
            ),
        ),
        evidence=(
            Evidence(
                f"{typed(call.target)} and {typed(first.ids)} hold the same share of zeros in each of {len(group)} recorded batches: {' and '.join(shares)}",
                "padding",
                first.share,
            ),
            Evidence("the loss is the plain mean over all positions: no mask, no weights, no id that is ignored"),
        ),
        help="if 0 marks padding, leave these positions out: in Keras `Embedding(…, mask_zero=True)`, `sample_weight`, or `ignore_class=0` in the loss; in PyTorch `ignore_index=0`",
        facts=frozenset({Fact("odd-input", call.target.name)}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=(name,),
    )
