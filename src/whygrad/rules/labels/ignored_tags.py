"""Labels of sequences whose most frequent class is ignored like padding, in positions that are none: the tag for "outside" shares its number with the padding."""

from dataclasses import dataclass

from whygrad.flow import StepIndex
from whygrad.ir import Op, Statistics, Value, family
from whygrad.rules.loss.calls import INTEGERS, Call, bounds

HALF = 0.5
"""
Share of the words that must be left out. Marks for parts of words that carry no label stay below: pieces that go on with a word are 23 % of English text at a
vocabulary of 8,000, 38 % at 1,000 and 50 % only at 500; words outside all names are 69 % in the program that shows the fault, and more in common corpora.
"""
_PICKED = ("layout", "cast", "select")
_JOINED = ("concat", "pad")
"""What makes a batch of examples."""


@dataclass(frozen=True, slots=True)
class Words:
    """What an embedding reads beside the labels, and what of it is padding."""

    ids: Value
    zeros: float
    """Share of class 0 among the labels."""
    padding: float
    """Share of its entries."""
    left_out: float
    """Share of the words, which are no padding, whose label is ignored."""


def ignored_words(call: Call) -> Words | None:
    """The words of a sequence whose labels are ignored as class 0, where that is most of them and the model has an output for it."""
    step, target = call.step, in_rows(call.step, call.target.name)
    figures, range_, classes = target.statistics or call.target.statistics, bounds(call.target), call.classes
    rows = target.shape is not None and len(target.shape) == 2  # noqa: PLR2004 - rows and positions
    if not (call.by_ids and rows and call.target.dtype in INTEGERS) or call.op.attributes.get("ignore_index") != 0:
        return None
    if figures is None or figures.zeros is None or range_ is None or classes is None or not (range_[0] == 0 < range_[1] < classes):
        return None
    return next((found for op in step.graph.ops if (found := _beside(step, op, target, figures.zeros, classes))), None)


def _beside(step: StepIndex, op: Op, target: Value, zeros: float, classes: int) -> Words | None:
    """The ids of an embedding in the labels' form, whose padding is known to be 0."""
    # timid: where the model tells the words themselves, what is ignored are those that were not hidden
    if op.kind != "embedding" or any((step.value(name).shape or ())[:1] == (classes,) for name in op.inputs):
        return None
    for name in op.inputs:
        ids = in_rows(step, name)
        known = ids.statistics or step.value(name).statistics
        if ids.dtype in INTEGERS and ids.shape == target.shape and ids.name != target.name and _padded(op, ids, known):
            padding = known.zeros if known is not None and known.zeros is not None else 1.0
            left_out = (zeros - padding) / (1 - padding) if padding < 1 else 0.0
            return Words(ids, zeros, padding, left_out) if left_out >= HALF else None
    return None


def in_rows(step: StepIndex, name: str) -> Value:
    """The rows and positions that a value is a view of, as the batch has them."""
    while name in step.producer:
        op = step.producer[name][1]
        if family(op.kind) not in _PICKED or op.kind in _JOINED or not op.inputs:
            break
        name = op.inputs[0]
    return step.value(name)


def _padded(op: Op, ids: Value, known: Statistics | None) -> bool:
    """0 is the padding: the embedding was told so, or zeros stand in rows of unlike lengths."""
    if known is None or known.zeros is None or known.sampled or not ids.shape:
        return False
    told = op.attributes.get("padding_idx")
    # timid: a mark that stands once in each row is no padding
    in_each_row = known.zeros * ids.shape[-1]
    return told == 0 or (told is None and in_each_row != round(in_each_row))
