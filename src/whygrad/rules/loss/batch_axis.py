"""The part of WG211 that asks whether a layer of sequences, or weights of positions, take the examples of the batch for positions."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import StepIndex
from whygrad.flow.makers import edited_at
from whygrad.idioms import idiom
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Value
from whygrad.rules.loss.calls import Call
from whygrad.rules.phrases import places, typed
from whygrad.rules.remedies import ACTIVATIONS, remedy, setting

LAYERS = ("LSTM", "GRU", "RNN", "MultiheadAttention", "TransformerEncoderLayer", "TransformerDecoderLayer", "Transformer")


@dataclass(frozen=True, slots=True)
class Crossed:
    """A layer that runs along the examples."""

    op: Op
    read: Value
    """(examples, positions, features) where the layer expects (positions, examples, features), or the other way round."""
    axis: int
    """The axis that it takes for positions."""
    loop: bool = False
    """It is a loop that the program writes, along the rows of what it is given."""


def crossed(call: Call) -> Crossed | None:
    """The first layer of sequences on the way to the prediction whose axis of positions is as long as there are labels, and carries on as their rows."""
    if call.contract.batch_axis and call.op.native.startswith("torch."):
        return _aligned(call)
    step, examples = call.step, (call.target.shape or (0,))[0]
    # timid: labels of several axes may belong to positions
    if len(call.target.shape or ()) > 2 or (call.target.shape or (0, 1))[1:] not in ((), (1,)) or examples < 2:  # noqa: PLR2004 - labels in a row or a column
        return None
    before = step.upstream(call.prediction.name)
    for found in walks(step, before):
        if _runs_along(found, examples) and _ends_as_rows(call, found):
            return found
    return None


def _aligned(call: Call) -> Crossed | None:
    """The same for a loss whose scores are (positions, examples, classes): a layer that gets both axes in this order, and takes the examples for positions."""
    shape, axis = call.prediction.shape or (), call.contract.batch_axis
    if len(shape) != 3:  # noqa: PLR2004 - positions, examples, classes
        return None
    for found in walks(call.step, call.step.upstream(call.prediction.name)):
        read = found.read.shape or ()
        if not found.loop and found.axis == axis and read[:2] == shape[:2] and _runs_along(found, shape[axis]):
            return found
    return None


def walks(step: StepIndex, before: frozenset[str]) -> Iterator[Crossed]:
    """Layers of sequences, and loops of the program's that hand a state on from row to row, on the way to something."""
    for op in step.graph.ops:
        axis, at = op.attributes.get("sequence_axis"), op.attributes.get("sequence")
        if before.isdisjoint(op.outputs):
            continue
        if isinstance(axis, int):
            yield Crossed(op, step.value(op.inputs[at if isinstance(at, int) else 0]), axis, loop=isinstance(at, int))
        elif op.kind == "concat" and op.native.endswith("stack") and len(op.inputs) == (step.value(op.output).shape or (0,))[0]:
            yield from (Crossed(op, read, 0, loop=True) for read in _rows_of(step, op))


def _rows_of(step: StepIndex, stack: Op) -> Iterator[Value]:
    """What a loop that is written out took a row of at each turn, if the last turn's result depends on all rows and the first one's on none of the later."""
    turns = len(stack.inputs)
    later = step.upstream(stack.inputs[-1]) - step.upstream(stack.inputs[0])
    taken = Counter(op.inputs[0] for op in step.of("index") if len(op.inputs) == 1 and op.output in later)
    yield from (step.value(name) for name, many in taken.items() if many == turns - 1 and (step.value(name).shape or (0,))[0] == turns)


def _runs_along(found: Crossed, examples: int) -> bool:
    """As many positions as labels, and another number of what it takes for examples: where both are the same, shapes tell nothing."""
    shape, axis = found.read.shape or (), found.axis
    return len(shape) == 3 and shape[axis] == examples and shape[1 - axis] not in (1, examples)  # noqa: PLR2004 - positions, examples, features


def _ends_as_rows(call: Call, found: Crossed) -> bool:
    """Of what the layer took for examples one is picked, or their mean: what is left of its positions stands before the labels."""
    step, shape = call.step, found.read.shape or ()
    rows = (call.prediction.shape or (0,))[0]
    if rows != shape[found.axis]:
        return False
    along = step.downstream(found.op.outputs) & step.upstream(call.prediction.name)
    # timid: a loop of the program's own over moments may pool what it keeps of several places, with a label for each moment
    if found.loop and not _picks(step, along, shape[:2]):
        return False
    kept = [step.value(name).shape or () for name in along]
    return any(size[:1] == (rows,) and shape[1 - found.axis] not in size for size in kept)


def _picks(step: StepIndex, along: frozenset[str], sizes: tuple[int, ...]) -> bool:
    """One entry of the second axis is picked."""
    picked = (op for op in step.of("index") if not along.isdisjoint(op.outputs) and len(op.inputs) == 1)
    return any((step.value(op.inputs[0]).shape or ())[:2] == sizes and sizes[1] not in (step.value(op.output).shape or ()) for op in picked)


def along_the_batch(call: Call) -> Iterator[Diagnosis]:
    """What is said of such a layer."""
    found = crossed(call)
    if found is None:
        return
    step, op, shape = call.step, found.op, found.read.shape or (0, 0)
    layer = "an attention" if op.kind == "attention" else "a loop" if found.loop else "a recurrent layer"
    place, scores = edited_at(step, op), call.contract.batch_axis
    at_loss = f"`{call.called}` has the examples there" if scores else f"`{call.called}` has a label for each entry of that axis"
    known = (
        f"`{call.called}` has the examples on axis {scores} of {typed(call.prediction)}"
        if scores
        else f"{typed(call.target)} has {shape[found.axis]} labels"
    )
    yield Diagnosis(
        rule="WG211",
        name="wrong-axis",
        severity="error",
        confidence="proved",
        message=f"{layer} runs along the batch: it takes axis {found.axis} of `{found.read.shown}` for positions, and that axis holds the examples",
        site=place,
        label=f"expects its positions on axis {found.axis}",
        related=places((op.site if op.made else None, "it is applied here"), (call.op.site, at_loss)),
        evidence=(
            Evidence(f"{typed(found.read)} is read as {shape[found.axis]} positions of {shape[1 - found.axis]} examples, and {known}"),
        ),
        help=idiom(call.index, "positions first" if found.loop or found.axis else "batch first"),
        remedy=remedy("have it read the examples as such", setting(place, "batch_first", str(not found.axis), calls=LAYERS)),
        facts=frozenset({Fact("odd-input", call.prediction.name), Fact("odd-shape", call.prediction.name)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(found.read.shown,),
    )  # fmt: skip


def pooled(call: Call) -> Iterator[Diagnosis]:
    """Weights that a softmax shares out over the examples, though they are added up along another axis: those of the words of a sentence, say."""
    step, rows = call.step, (call.target.shape or (0,))[0]
    before = step.upstream(call.prediction.name)
    for op in step.of("softmax"):
        shape, axis = step.value(op.output).shape or (), op.attributes.get("axis")
        along = axis in (0, -len(shape)) and len(shape) > 2 and shape[0] == rows > 1  # noqa: PLR2004 - examples, positions and something
        if not along or before.isdisjoint(op.outputs) or (call.prediction.shape or (0,))[0] != rows:
            continue
        added = next(_added_along(step, op.output, len(shape)), None)
        if added is not None and shape[added[1]] > 1:
            yield _about_pooling(call, op, *added)


def _added_along(step: StepIndex, name: str, rank: int) -> Iterator[tuple[Op, int]]:
    """Sums of what the weights are multiplied with, and their axis, if the examples stay apart in them."""
    for reader in step.consumers.get(name, ()):
        axis = reader.attributes.get("axis")
        if reader.kind == "sum" and isinstance(axis, int) and axis % rank != 0:
            yield reader, axis % rank
        elif reader.kind in ("mul", "cast") and len(step.value(reader.output).shape or ()) == rank:
            yield from _added_along(step, reader.output, rank)


def _about_pooling(call: Call, op: Op, added: Op, axis: int) -> Diagnosis:
    step, value = call.step, call.step.value(op.output)
    place, shape = edited_at(step, op), value.shape or (0,)
    return Diagnosis(
        rule="WG211",
        name="wrong-axis",
        severity="error",
        confidence="proved",
        message=f"`{op.kind}` normalises over the batch, and its weights are added up along axis {axis}",
        site=place,
        label=f"{idiom(call.index, 'axis', axis=0)} is the batch",
        related=places((op.site if op.made else None, "it is applied here"), (added.site, f"what was weighted is added up along axis {axis} here")),
        evidence=(
            Evidence(f"{typed(value)} is normalised over its {shape[0]} examples, not over the {shape[axis]} entries that are added up"),
        ),
        help=f"write {idiom(call.index, 'axis', axis=axis)}",
        remedy=remedy(
            "normalise over what is added up",
            setting(place, spelling(call.index, "axis"), str(axis), calls=ACTIVATIONS.get(op.kind, ()), position=-1),
        ),
        facts=frozenset({Fact("odd-input", call.prediction.name)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(value.shown,),
    )  # fmt: skip
