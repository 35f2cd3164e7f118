"""WG104: inputs and labels are reordered differently."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.idioms import idiom, speaks
from whygrad.ir import Op, Site, Value
from whygrad.rules import rule
from whygrad.rules.labels.augmented_apart import augmented_apart
from whygrad.rules.labels.drawn_twice import drawn_twice
from whygrad.rules.labels.flattening import flattened_apart
from whygrad.rules.labels.pairing import mispaired, unrelated, zipped
from whygrad.rules.labels.turning import turned_apart
from whygrad.rules.labels.ways import STEPS, chain, entering, rows_of
from whygrad.rules.loss.calls import Call, calls
from whygrad.rules.phrases import distinct, places, typed
from whygrad.rules.remedies import remedy


@dataclass(frozen=True, slots=True)
class Reordered:
    """A whole data set put into another order on one side only."""

    call: Call
    op: Op
    before: Value
    side: str
    other: Value
    second: Op | None = None
    """What put the other side into an order of its own."""


@rule("WG104", "misaligned-labels", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Inputs and labels were put into different orders, so that examples have one another's labels.

    ## What it finds
    A permutation or a sorting of all rows that was applied to the inputs and not to the labels, or the reverse; two permutations of different draws. A collate function of the
    program's own that pairs the input of one item with the label of another: the first batch is compared with the items it was made of.
    Two loaders, one for the inputs and one for the labels, that both shuffle.
    Noise that a model is to predict, and that is another draw than the noise in its input.
    Images and masks that are flipped or rotated at random, the one without the other; in PyTorch also by NumPy or Pillow, where many pairs of the first batches fit one another clearly better
    with one side turned, and some as they are; in TensorFlow in a function that `tf.data` maps, each by a draw of its own.
    Predictions and labels that were flattened in different orders, such as scores (T, N, C) against labels (N, T).
    Where the loss stood still all the run long: labels that no fit can tell from the inputs, or only after a shift or in reverse.

    ## Why it matters
    There is nothing left to learn but the shares of the classes. Nothing raises, and the loss stays at chance.

    ## When it is fine
    Labels that are computed from the reordered inputs belong to them. Rows that are picked for a batch, and outputs that are put back into
    their first order, are left alone; so are negatives for contrastive losses and mixtures of examples, which are sums. A side that is flipped
    for every example is left alone as well: it may be stored so.

    ## How sure
    Proved where the reordering happened in the framework and is in the recorded graph; measured where a batch was compared with its items, or flips were counted pair by pair.
    What was shuffled in Python or NumPy is suspected at most, from 128 rows on, and a note: labels that are drawn at random look the same. It
    becomes a warning where the labels fit the inputs in another order.

    ## References
    `torch.randperm`: one permutation, applied to both: `x, y = x[order], y[order]`.
    """
    found = [
        *distinct(diagnosis(found) for call in calls(index) for found in one_sided(call)),
        *distinct(found for call in calls(index) for found in flattened_apart(call)),
        *distinct(drawn_twice(index)),
        *distinct(mispaired(index)),
        *distinct(zipped(index)),
        *distinct(turned_apart(index)),
        *distinct(augmented_apart(index)),
    ]
    yield from found or distinct(unrelated(index))


def one_sided(call: Call) -> Iterator[Reordered]:
    """Reorderings on the way of one side that the other knows nothing of."""
    step = call.step
    if call.target.name in step.depends_on_parameters or call.op.failed:
        return
    label = chain(step, call.target.name)
    rows = rows_of(step, call.target.name)
    for given in entering(step, call.prediction.name):
        if not rows or rows_of(step, given) != rows:
            continue  # a running mean, positions
        data = chain(step, given)
        for mine, theirs, side, name in ((data, label, "inputs", call.target.name), (label, data, "labels", given)):
            for op in mine:
                if (
                    reorders(step, op)
                    and rows_of(step, op.inputs[0]) in {rows_of(step, name), *(rows_of(step, one.inputs[0]) for one in theirs)}
                    and not knows(step, name, op)
                    and not any(reorders(step, other) and not apart(step, op, other) for other in theirs)
                    and not put_back(step, op)
                ):
                    second = next((other for other in theirs if reorders(step, other)), None)
                    yield Reordered(call, op, step.value(op.inputs[0]), side, step.value(name), second)
                    return


def reorders(step: StepIndex, op: Op) -> bool:
    """All rows of a tensor in another order: an index as long as the tensor that comes from a permutation or a sorting, or a shuffle of the tensor itself."""
    if shuffles(op):
        shape = step.value(op.inputs[0]).shape or (0,)
        return len(shape) > 0 and shape[0] > 1 and step.value(op.inputs[0]).role != "constant"
    if op.kind != "index" or len(op.inputs) != 2:  # noqa: PLR2004 - the tensor and its new order
        return False
    before, order, after = (step.value(name) for name in (*op.inputs, op.output))
    whole = bool(before.shape) and before.shape == after.shape and order.shape == (before.shape or ())[:1] and order.dtype in ("i64", "i32")
    drawn = any(
        name in step.producer
        and step.producer[name][1].native.rsplit(".", 1)[-1] in ("randperm", "permutation", "argsort", "sort", "random_shuffle")
        for name in step.upstream(order.name)
    )
    # timid: an order that left the framework may have been applied to the other side in Python
    gone = any(
        (other.kind == "leave" and other.inputs and step.origin(other.inputs[0], STEPS) == step.origin(order.name, STEPS))
        or other.inputs[:1] == (order.name,)
        for other in step.graph.ops
    )
    return whole and drawn and not gone and (before.shape or (0,))[0] > 1


def shuffles(op: Op) -> bool:
    """`tf.random.shuffle`, which draws the order itself."""
    return op.kind == "index" and len(op.inputs) == 1 and op.native.rsplit(".", 1)[-1] == "random_shuffle"


def order_of(op: Op) -> str:
    """What gives the order: without an index, what is put into it tells as much."""
    return op.inputs[1] if len(op.inputs) > 1 else op.output


def apart(step: StepIndex, one: Op, other: Op) -> bool:
    """The orders of two reorderings were drawn by different keys, or are told apart by what was drawn."""
    # timid: without either a second order may be the first once more, drawn after the same seed was set again
    if shuffles(one) or shuffles(other):  # one seed gives both the same order
        return False
    makers = ([step.producer[name][1] for name in step.upstream(op.inputs[1]) if name in step.producer] for op in (one, other))
    mine, theirs = ({made.attributes.get("key", made.attributes.get("drawn")) for made in made_by} - {None} for made_by in makers)
    return len(mine) == len(theirs) == 1 and mine != theirs


def knows(step: StepIndex, name: str, op: Op) -> bool:
    """What was computed from the reordered rows, or from their order, belongs to them."""
    return not step.upstream(name).isdisjoint((*op.outputs, order_of(op)))


def put_back(step: StepIndex, op: Op) -> bool:
    """Something computed from the reordered rows is indexed again by something computed from their order."""
    after, order = step.downstream(op.outputs), step.downstream((order_of(op),))
    return any(
        other is not op
        and other.kind in ("index", "scatter", "sort")
        and other.inputs
        and other.inputs[0] in after
        and not order.isdisjoint(other.inputs[1:])
        for other in step.graph.ops
    )


def diagnosis(found: Reordered) -> Diagnosis:
    """What is said, at the reordering."""
    step, other = found.call.step, found.other
    order = step.value(order_of(found.op))
    drawn = "shuffled by a draw of its own" if shuffles(found.op) else f"indexed by a permutation {typed(order)} of all its rows"
    sides = "labels" if found.side == "inputs" else "inputs"
    own = "key" if speaks(found.call.index, "jax") else "draw"
    otherwise = f"`{other.shown}` by one of another {own}" if found.second else f"`{other.shown}` comes from no op that reads it"
    return Diagnosis(
        rule="WG104",
        name="misaligned-labels",
        severity="error",
        confidence="proved",
        message=f"the {found.side} are put into another order here, and the {sides} are {'put into a third one' if found.second else 'not'}",
        site=place_of(found),
        label=f"`{found.before.shown}` is reordered by a {own} of its own" if found.second else f"only `{found.before.shown}` is reordered",
        related=places((found.call.op.site, "the loss compares them row by row here")),
        evidence=(Evidence(f"{typed(found.before)} is {drawn}; {otherwise}"),),
        help=f"apply one permutation to both: {idiom(found.call.index, 'permute both')}",
        facts=frozenset({Fact("odd-input", found.op.output)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(found.before.shown, other.shown),
        remedy=_by_one_key(found),
    )


def place_of(found: Reordered) -> Site | None:
    """Where it is reordered; where one function reorders both sides, where that is called."""
    here, there = found.op.site, found.second.site if found.second else None
    both = here is not None and there is not None and (here.file, here.line, here.column) == (there.file, there.line, there.column)
    return here.caller() if both and here is not None and here.callers else here


_DRAWN = re.compile(r"\bpermutation\(\s*([A-Za-z_]\w*)\s*,")


def _by_one_key(found: Reordered) -> Remedy | None:
    """The key of one permutation for the other one, where both are drawn by name in one function."""
    here, there = found.op.site, found.second.site if found.second else None
    if here is None or there is None or (here.file, here.function) != (there.file, there.function) or here.line == there.line:
        return None
    keys = [_DRAWN.findall(site.text) for site in (here, there)]
    if any(len(names) != 1 for names in keys):
        return None
    (key,) = keys[0]
    return remedy(f"draw both by `{key}`", Edit("argument", there, key, ("permutation",), "key", 0))
