"""WG112: padded positions enter the loss, or stand between the words and the prediction."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import edited_at
from whygrad.idioms import idiom, speaks_torch
from whygrad.ir import Op
from whygrad.rules import rule
from whygrad.rules.labels.behind_padding import behind_padding
from whygrad.rules.labels.counted_padding import about_counted, counted_padding
from whygrad.rules.labels.unmarked_padding import unmarked
from whygrad.rules.labels.unread_masks import Unread, unread_masks
from whygrad.rules.labels.words_hidden import words_hidden
from whygrad.rules.loss.calls import Call, calls
from whygrad.rules.phrases import distinct, percent, places, typed
from whygrad.rules.remedies import ignoring, remedy

SHARE = 0.3
"""Share of padding among the targets from which it steers the training; an end mark that shares its id stays below."""
_PICKED = ("layout", "cast", "select")


@rule("WG112", "padding-used", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Padded positions are counted in the loss, or come between the words and what is predicted from them.

    ## What it finds
    Seven forms. A forward that is given a mask of zeros and ones and never reads it, while it takes the mean (or sum, or maximum) over the positions that the mask marks.
    And `cross_entropy` or `nll_loss` on token ids of which a large share is the padding id that the embedding of the same ids was told of
    (`padding_idx`), without an `ignore_index` for it and without a mask behind. And, suspected, labels of which three quarters or more are 0, in exactly as many positions as the token ids of the same shape are 0, in every recorded batch, under a loss that is the plain mean over all positions.
    Language models whose labels are the ids that they read, where the attention is told that three in ten positions or more are padding and no label is ignored.
    Masks the wrong way round, suspected: an attention whose mask leaves open exactly as many positions as the ids that an embedding reads are 0, in every recorded step; labels of which
    all but the ignored ones are 0, in exactly as many positions as those ids.
    Last, in PyTorch and JAX, a recurrent layer, or a `lax.scan` over the positions, whose state at the last position is read, where most of many rows is padding at the end, so that nothing of their words is left there.

    ## Why it matters
    Padding is easy to predict, so that the loss is small from the second epoch on, although most of the words are wrong; long texts count
    for less than short ones.

    ## When it is fine
    A loss per entry (`reduction="none"`) may be masked afterwards, and is left alone unless its plain mean is taken. Keras' losses read the mask of its layers.
    Where the embedding was not told of a padding id, only zeros that fall together with those of the labels are taken for padding. Less than 30 % of padding is not worth a message. A forward that finds the padding itself, by a comparison or a fill, needs no mask; nor does one whose
    embedding gives padding zeros, or a mask that takes nothing out. A recurrent layer that keeps what it read over the padding, or is given packed rows, or rows with the padding in front, is left alone.

    ## How sure
    Proved for the recorded steps: the padding id, the ignored id and the share are read from the calls. Suspected where nothing declares the padding: the shares of zeros are measured.
    Of recurrent layers measured: all words of the padded rows are exchanged, and the predictions compared; the same is done with the padding in front.

    ## References
    `torch.nn.Embedding` (`padding_idx`), `torch.nn.CrossEntropyLoss` (`ignore_index`); Keras, `Embedding(mask_zero=True)`, `ignore_class`.
    """
    yield from distinct(about_mask(found) for found in unread_masks(index))
    told = list(distinct(diagnosis(call, op, share) for call in calls(index) for op, share in padded(call)))
    told += distinct(about_counted(found) for call in calls(index) for found in counted_padding(call))
    yield from told or unmarked(index)
    yield from distinct(behind_padding(index))
    yield from distinct(words_hidden(index))


def about_mask(found: Unread) -> Diagnosis:
    """What is said of a mask that nobody reads, where the positions are reduced."""
    step, op = found.step, found.op
    function = next((s for s in step.step.scopes if s.function == found.function and found.argument in s.unread), None)
    return Diagnosis(
        rule="WG112",
        name="padding-used",
        severity="warning",
        confidence="proved",
        message=f"padding counts in the {op.kind} over positions: `{found.function}` is given `{found.argument}` and never reads it",
        site=op.site,
        label=f"takes the {op.kind} over padding too",
        related=places((function.site if function else None, f"`{found.argument}` is given here, and not used")),
        evidence=(
            Evidence(f"{typed(found.mask)}: {percent(found.share, 1)} of its entries are 0, which marks padding", "padding", found.share),
        ),
        help=f"multiply by `{found.argument}` before the {op.kind}, and divide by the number of positions that count",
        facts=frozenset({Fact("odd-input", found.mask.name)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(found.argument,),
    )


def padded(call: Call) -> Iterator[tuple[Op, float]]:
    """The embedding of the same ids, and the share of its padding id among the targets that count."""
    step, figures = call.step, call.target.statistics
    alone = call.op.attributes.get("reduction") == "none" and not averaged(step, call.op)
    # timid: Keras' losses leave out what the mask of the layers hides
    counts_all = call.by_ids and not alone and not call.op.failed and not call.op.native.startswith("keras.")
    if not counts_all or figures is None or figures.zeros is None or figures.zeros < SHARE or call.op.attributes.get("ignore_index") == 0:
        return
    source = step.origin(call.target.name, _PICKED)
    for op in step.graph.ops:
        # timid: figures give the share of zeros alone, so that another padding id is not judged
        told = op.kind == "embedding" and op.attributes.get("padding_idx") == 0
        if told and any(
            step.origin(name, _PICKED) == source for name in op.inputs if family_of_ids(step.value(step.origin(name, ("cast",))).dtype)
        ):
            yield op, figures.zeros
            return


def averaged(step: StepIndex, op: Op) -> bool:
    """A loss per entry is read by one op that takes the mean of all of them."""
    readers = [reader for reader in step.consumers.get(op.output, ()) if not step.shapes_loss.isdisjoint(reader.outputs)]
    return len(readers) == 1 and readers[0].kind == "mean" and step.value(readers[0].output).shape == ()


def _help(call: Call) -> str:
    """The padding left out by the loss, or of the mean of its entries."""
    if call.op.attributes.get("reduction") != "none":
        return idiom(call.index, "ignore an id", id=0, labels=call.target.written)
    made = call.step.value(call.op.output)
    return idiom(call.index, "mean of what counts", id=0, labels=call.target.written, losses=made.written if made.called else "losses")


def family_of_ids(dtype: str) -> bool:
    """Ids are whole numbers."""
    return dtype.startswith(("i", "u"))


def diagnosis(call: Call, op: Op, share: float) -> Diagnosis:
    """What is said, at the line that made the loss."""
    name, ignored = call.target.shown, call.op.attributes.get("ignore_index")
    told = idiom(call.index, "padding told", id=0)
    return Diagnosis(
        rule="WG112",
        name="padding-used",
        severity="warning",
        confidence="proved",
        message=f"{percent(share)} of the targets in `{name}` are padding, and all of them count",
        site=edited_at(call.step, call.op),
        label="counts the padding id 0 like a word",
        related=places((call.op.site if call.op.made else None, "the loss is called here"), (op.site, f"the embedding has {told}")),
        evidence=(
            Evidence(
                f"{typed(call.target)}: {percent(share, 1)} are 0, the embedding's padding id; {'no id is ignored' if ignored is None else f'the loss ignores {ignored}'}",
                "padding",
                share,
            ),
        ),
        help=_help(call),
        facts=frozenset({Fact("odd-input", call.target.name)}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=(name,),
        remedy=_ignored(call),
    )


def _ignored(call: Call) -> Remedy | None:
    """PyTorch's loss told which id to leave out, where it takes the mean itself."""
    if call.op.attributes.get("reduction") == "none" or not speaks_torch(call.index):
        return None
    return remedy("ignore the padding id", ignoring(call.op, edited_at(call.step, call.op), "0"))
