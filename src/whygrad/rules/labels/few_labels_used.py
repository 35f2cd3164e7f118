"""WG108: most labels are left out, or the wrong ones."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import edited_at, making_site
from whygrad.idioms import idiom
from whygrad.ir import Op, Site, Value
from whygrad.loss_contracts import target_of
from whygrad.rules import rule
from whygrad.rules.labels.class_weights import examples_left_out, left_out
from whygrad.rules.labels.evidence import insensitive
from whygrad.rules.labels.ignored_tags import Words, ignored_words
from whygrad.rules.labels.off_range import JOINS, off_range
from whygrad.rules.labels.turned_weights import turned_weights
from whygrad.rules.loss.calls import BY_IDS, INTEGERS, Call, bounds, calls
from whygrad.rules.phrases import distinct, percent, places, typed
from whygrad.rules.remedies import ignoring, remedy, turned_round

HALF = 0.5
"""Share of ignored entries from which a class, and no mark for unknown pixels, must be meant: data sets mark a few per cent as unknown."""
_EXACT = 1e-9
_VARIED = 3


@rule("WG108", "few-labels-used", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The mask or the `ignore_index` leaves out the labels that were meant to count.

    ## What it finds
    A mask that keeps the padding: the entries that it keeps are exactly as many as the targets that are zero, in every recorded step.
    A mask of the targets between two bounds that keeps less than half of those that are not zero, where the upper bound is ten times the largest target and more, or a tenth of it and less: bounds
    in metres for depths that were divided by 80 metres.
    Class weights of 0 for half of the classes or more, or for any where the graph shows that they were rounded: `counts.min() // counts`. In Keras, weights of examples, handed to `fit` with arrays, that are 0 for every example of half of the classes or more.
    In PyTorch, a `pos_weight` that is the ratio of positive to negative labels, and not its inverse, where one of the two is rare: the rare class counts for less still.
    Images of class ids whose most frequent id is the one that the loss ignores, although the model has an output for it. One of two classes that is ignored, so that all labels which count are of the other. Sequences of class ids of which more than half of the
    words are ignored as class 0, besides what is padding among the ids that the embedding reads: the tag for "outside" has the number that labels are padded with.

    ## Why it matters
    The loss is small at once, since padding is easy to predict, or the most common class is never learnt; what is printed looks like
    success.

    ## When it is fine
    Padding that is ignored is right, however much of it there is: of sequences the positions count that are no padding, and where the model tells the words themselves nothing is said. So are masks made from the targets
    themselves (positives and negatives apart, ranges that most of them lie in), and an ignored id that marks less than half of the pixels. One class of several may have the weight 0 on
    purpose, as padding and background have.

    ## How sure
    Weights are proved, and so is one of two classes. Of masks and other ids suspected: figures show which entries count, not which were meant to.

    ## References
    `torch.nn.CrossEntropyLoss` (`ignore_index`); Keras, `SparseCategoricalCrossentropy(ignore_class=…)`; `whygrad explain WG105` (no label is left at all).
    """
    yield from distinct(ignored(call, share) for call in calls(index) if (share := ignored_class(call)) is not None)
    yield from distinct(ignored(call, *left) for call in calls(index) if (left := one_of_two(call)) is not None)
    yield from tags_left_out(index)
    yield from distinct(off_range(index))
    yield from distinct(turned_weights(index))
    yield from distinct(found for call in calls(index) for found in left_out(call))
    yield from examples_left_out(index)
    for steps in index.kinds.values():
        # timid: where the labels are not felt at all, WG102 says why
        found = [next(reversed_masks(step), None) for step in steps if step.losses and not insensitive(step.step.measures)]
        if len(found) > 1 and None not in found:
            yield from distinct(reversed_mask(index, *one) for one in found if one)


def tags_left_out(index: Index) -> Iterator[Diagnosis]:
    """Sequences whose words are mostly ignored as class 0, in every recorded step."""
    by_line: dict[object, list[tuple[Call, Words | None]]] = {}
    for call in (call for call in calls(index) if call.classes != 2):  # noqa: PLR2004 - of two classes `one_of_two` tells
        by_line.setdefault(call.op.site.line_of_code if call.op.site else None, []).append((call, ignored_words(call)))
    for found in by_line.values():
        told = [ignored(call, words.zeros, words=words) for call, words in found if words is not None]
        yield from told[:1] if len(told) == len(found) else ()


def ignored_class(call: Call) -> float | None:
    """Share of the pixels that are ignored as class 0, where that is most of them and the model has an output for it."""
    shape, figures = call.target.shape or (), call.target.statistics
    images = call.by_ids and len(shape) > 2 and call.target.dtype in INTEGERS  # noqa: PLR2004 - rows of images
    if not images or figures is None or figures.zeros is None or call.op.attributes.get("ignore_index") != 0:
        return None
    range_, classes = bounds(call.target), call.classes
    fits = range_ is not None and classes is not None and range_[0] == 0 and range_[1] == classes - 1
    return figures.zeros if fits and classes != 2 and HALF <= figures.zeros < 1.0 else None  # noqa: PLR2004 - of two classes `one_of_two` tells


def one_of_two(call: Call) -> tuple[float, int] | None:
    """Share of the labels that are ignored as one of the model's two classes, and which it is, where both occur: all that count are of the other."""
    figures, ignored_ = call.target.statistics, call.op.attributes.get("ignore_index")
    both = call.by_ids and call.target.dtype in INTEGERS and call.classes == 2 and bounds(call.target) == (0, 1)  # noqa: PLR2004 - two classes
    if not both or figures is None or figures.zeros is None or ignored_ not in (0, 1) or not 0 < figures.zeros < 1:
        return None
    return (1 - figures.zeros, 1) if ignored_ else (figures.zeros, 0)


def reversed_masks(step: StepIndex) -> Iterator[tuple[StepIndex, Op, Value, Value, float]]:
    """Masks that keep exactly as many entries as there are zeros among the targets."""
    labels = step.from_labels - step.depends_on_parameters
    for op in step.graph.ops:
        if op.kind not in JOINS or step.shapes_loss.isdisjoint(op.outputs) or step.depends_on_parameters.isdisjoint(op.inputs):
            continue
        for name in op.inputs:
            mask = step.value(name)
            kept = share_kept(mask)
            if kept is None or name in step.depends_on_parameters:
                continue
            for target in compared(step, op, labels):
                zeros = target.statistics.zeros if target.statistics else None
                own = name in step.downstream((target.name,)) and not alone_counts(step, op, target)
                if target.shape == mask.shape and zeros is not None and abs(zeros - kept) < _EXACT and varied(target) and not own:
                    yield step, op, mask, target, kept


def alone_counts(step: StepIndex, op: Op, target: Value) -> bool:
    """What a mask that was made from the targets keeps is all that a loss on ids gives: the others count nowhere."""
    for name in op.inputs:
        made = step.producer.get(step.origin(name, ("layout", "cast")))
        if made is None or made[1].kind not in BY_IDS or target_of(made[1]) != target.name or len(target.shape or ()) < 2:  # noqa: PLR2004 - rows and positions
            continue
        readers = [reader for reader in step.consumers.get(made[1].output, ()) if not step.shapes_loss.isdisjoint(reader.outputs)]
        return len(readers) == 1 and target.dtype in INTEGERS
    return False


def share_kept(mask: Value) -> float | None:
    """Share of entries that a mask of zeros and ones keeps, if it keeps some, not all and not exactly half."""
    figures, range_ = mask.statistics, bounds(mask)
    if (
        figures is None
        or figures.sampled
        or figures.zeros is None
        or range_ != (0.0, 1.0)
        or not (mask.dtype == "bool" or figures.distinct == 2 or figures.whole == 1.0)  # noqa: PLR2004 - zeros and ones
    ):
        return None
    kept = 1.0 - figures.zeros
    return kept if 0 < kept < 1 and abs(kept - HALF) > _EXACT else None


def compared(step: StepIndex, op: Op, labels: frozenset[str]) -> Iterator[Value]:
    """Targets that the masked value was computed from."""
    above = frozenset[str]().union(*(step.upstream(name) for name in op.inputs if name in step.depends_on_parameters))
    for other in step.graph.ops:
        if not above.isdisjoint(other.outputs) and not step.depends_on_parameters.isdisjoint(other.inputs):
            yield from (step.value(name) for name in other.inputs if name in labels)


def varied(target: Value) -> bool:
    """More than zeros and ones: of those, a mask may be made on purpose."""
    figures = target.statistics
    return figures is not None and not figures.sampled and figures.distinct is not None and figures.distinct >= _VARIED


def reversed_mask(index: Index, step: StepIndex, op: Op, mask: Value, target: Value, kept: float) -> Diagnosis:
    """What is said of a mask that keeps the padding."""
    made = making_site(index, step, mask.name)
    return Diagnosis(
        rule="WG108",
        name="few-labels-used",
        severity="warning",
        confidence="suspected",
        message=f"`{mask.shown}` keeps as many entries as `{target.shown}` has zeros: it seems to keep the padding",
        site=_told_apart(step, mask) or made or op.site,
        label=f"keeps {percent(kept)} of the entries",
        related=places((op.site if made else None, "the loss is masked here")),
        evidence=(
            Evidence(
                f"{typed(mask)} keeps {kept:.4f} of all entries; {kept:.4f} of `{target.shown}` are 0, in every recorded step", "kept", kept
            ),
        ),
        help=f"turn the mask round if it marks the padding: `~{mask.written}` for booleans, `1 - {mask.written}` for numbers",
        facts=frozenset({Fact("odd-input", mask.name)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(mask.shown, target.shown),
        remedy=turned_round(index, made, mask),
    )


def _told_apart(step: StepIndex, mask: Value) -> Site | None:
    """The comparison behind a mask that was cast to numbers afterwards."""
    made = step.producer.get(step.origin(mask.name, ("cast", "layout", "select")))
    return made[1].site if made is not None and made[1].kind == "compare" else None


def ignored(call: Call, share: float, which: int = 0, words: Words | None = None) -> Diagnosis:
    """What is said of an ignored class: of two, of images, or of the words of a sequence."""
    name, whole = call.target.shown, len(call.target.shape or ()) < 3  # noqa: PLR2004 - no images
    unknown = "padding" if words else "what is unknown" if whole else "unknown pixels"
    return Diagnosis(
        rule="WG108",
        name="few-labels-used",
        severity="warning",
        confidence="proved" if call.classes == 2 else "suspected",  # noqa: PLR2004 - two classes
        message=f"{idiom(call.index, 'ignored id', id=which)} leaves out {percent(share)} of `{name}`, and class {which} is one of the model's {call.classes}",
        site=edited_at(call.step, call.op),
        label=f"class {which} is never learnt",
        related=places((call.op.site if call.op.made else None, "the loss is called here")),
        evidence=(
            Evidence(
                f"{typed(call.target)} holds ids from 0 to {(call.classes or 1) - 1}, and {percent(share, 1)} are {which}", "zeros", share
            ),
            *((Evidence(f"every label that counts is {1 - which}", "left", 1 - which),) if call.classes == 2 else ()),  # noqa: PLR2004 - two classes
            *_of_words(words),
        ),
        help=f"leave out {idiom(call.index, 'ignored id', id=which)} if {which} is a class like the others; give {unknown} an id of {'their' if unknown.endswith('s') else 'its'} own, such as {-100 if words or whole else 255}, and ignore that",
        facts=frozenset({Fact("odd-input", call.target.name)}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=(name,),
        remedy=remedy(
            f"let class {which} count",
            ignoring(call.op, edited_at(call.step, call.op)),
            changes=f"what is labelled {which} counts, also where that marks what is unknown",
        )
        if words is None
        else None,
    )


def _of_words(words: Words | None) -> Iterator[Evidence]:
    """What of the positions is padding, and what of the others is left out."""
    if words is not None:
        text = f"{percent(words.padding, 1)} of {typed(words.ids)} is padding; of the other positions {percent(words.left_out, 1)} are left out"
        yield Evidence(text, "left out", words.left_out)
