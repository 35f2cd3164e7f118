"""WG111: a prediction depends on the later input that is its label."""

from collections.abc import Iterator, Mapping
from math import prod

from whygrad.diagnosis import Diagnosis, Evidence, Remedy, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import edited_at
from whygrad.flow.trials import LEAKS, SHIFTED, trial_of
from whygrad.idioms import idiom
from whygrad.ir import Op, Perturb, Site, Value
from whygrad.rules import rule
from whygrad.rules.labels.causal import hiding
from whygrad.rules.loss.calls import INTEGERS, Call, calls
from whygrad.rules.phrases import figure, percent, places, typed
from whygrad.rules.remedies import unseen

SHORTEST = 4
"""Positions of a sequence that has an earlier and a later part."""
MOST = 3
"""Sequences of a step that are tried: encoder, decoder, and one more."""
_READERS = frozenset(("embedding", "linear", "rnn", "conv", "one_hot"))
_FORMS = ("layout", "cast", "select", "decision", "create")


@rule("WG111", "future-leak", "error", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    What is predicted at a position depends on the later input that is its label: the causal mask is missing or shifted.

    ## What it finds
    Sequence models whose targets are the next entries of the very sequence that they read, and whose predictions change when only later entries are changed: attention without a causal mask, or
    with one that is off by one or the wrong way round, a bidirectional recurrent layer, a convolution that is padded on both sides.

    ## Why it matters
    The model copies its answer from its input. The loss goes to zero, and when it has to continue a text, where the next entry is not known, it writes nonsense.

    ## When it is fine
    Masked language models and taggers may look both ways, since their targets are not the next entries. An encoder may read all of a sequence that a decoder then writes from a summary. What
    changes in other rows just as much, through batch normalisation, is no leak.

    ## How sure
    Measured: the later half of the recorded sequence was changed in half of the rows, and the predictions at earlier positions compared.

    ## References
    `torch.nn.Transformer.generate_square_subsequent_mask`, `is_causal` of `scaled_dot_product_attention`; Keras, `use_causal_mask=True`.
    """
    for call in calls(index):
        yield from (diagnosis(call, value) for value in leaking(call))


def leaking(call: Call) -> list[Value]:
    """Sequences that may leak: all that fit, or, once they have been tried, those whose next entries the targets are."""
    found = sequences(call)
    trials = [trial_of(call.step.step, _test(call, value).intervention) for value in found]
    tried = [(value, trial) for value, trial in zip(found, trials, strict=True) if trial is not None]
    if not tried:
        return found
    next_ones = [(value, trial) for value, trial in tried if trial.figures.get("shifted", 1.0) >= SHIFTED]
    # timid: an encoder may read the whole of what its decoder, which reads the same entries causally, writes
    causal = any(trial.reason or trial.figures.get("leak", 0.0) <= LEAKS for _, trial in next_ones)
    return [] if causal or len(tried) < len(found) else [value for value, _ in next_ones]


def sequences(call: Call) -> list[Value]:
    """Data with a position for each target that the model reads, with a way to the prediction on which every value has positions."""
    step, found = call.step, []
    if call.op.failed or call.prediction.name not in step.producer or call.prediction.name not in step.depends_on_parameters:
        return []
    for op in step.graph.ops:
        for name in op.inputs if op.kind in _READERS else ():
            # Keras casts ids to floating numbers before its embedding casts them back
            value = step.value(step.origin(name, ("cast",)) if op.kind == "embedding" else name)
            data = name not in step.depends_on_parameters and value.role not in ("parameter", "buffer", "constant")
            if data and value not in found and fits(value, call.target) and call.prediction.name in positioned(step, value):
                found.append(value)
    return found[:MOST]


def fits(value: Value, target: Value) -> bool:
    """The targets are as many as the entries of the sequence, or as all but one position of it."""
    shape, wanted = value.shape or (), target.shape
    # timid: ids are cast to another width between data and embedding by some libraries; other data keep their type
    alike = value.dtype == target.dtype or (value.dtype in INTEGERS and target.dtype in INTEGERS)
    if len(shape) < 2 or not wanted or not alike:  # noqa: PLR2004 - rows and positions
        return False
    entries = [prod(wanted) * length == prod(shape) * kept for length in shape[:2] if length >= SHORTEST for kept in (length, length - 1)]
    return prod(wanted) > 1 and any(entries)


def positioned(step: StepIndex, value: Value) -> frozenset[str]:
    """What is computed from a sequence on ways on which every value has an axis of its positions."""
    rows, columns = (value.shape or (0, 0))[:2]
    found = {value.name}
    for op in step.graph.ops:
        if not found.isdisjoint(op.inputs):
            found.update(name for name in op.outputs if _has_positions(step.value(name).shape or (), rows, columns))
    return frozenset(found)


def _has_positions(shape: tuple[int, ...], rows: int, columns: int) -> bool:
    """A shape with an axis for the rows and one for the columns of a sequence, perhaps one position short, or with both in one axis."""
    together = {rows * columns, (rows - 1) * columns, rows * (columns - 1)}
    apart = [not {size, size - 1}.isdisjoint(shape) for size in (rows, columns)]
    return not together.isdisjoint(shape) or all(apart)


def diagnosis(call: Call, value: Value) -> Diagnosis:
    """What is said, where the later entries come in."""
    step, test = call.step, _test(call, value)
    trial = trial_of(step.step, test.intervention)
    leak = step.producer[trial.where][1] if trial is not None and trial.where in step.producer else None
    mask = mask_of(step, leak, value) if leak is not None else None
    figures = trial.figures if trial is not None else {}
    made = _drawn_at(step, mask) if mask is not None else None
    return Diagnosis(
        rule="WG111",
        name="future-leak",
        severity="error",
        confidence="measured",
        message=f"what is predicted at each position of `{value.shown}` depends on later ones, the next of which is its label",
        site=made or (site_of(step, leak) if leak is not None else call.op.site),
        label="lets a position see later ones" if mask is not None else "later positions come in here",
        related=places(
            (leak.site if leak is not None and made else None, "later positions come in here"),
            (call.op.site, "the targets are compared here"),
        ),
        evidence=tuple(_evidence(call, value, figures)),
        help=_help(call.index, leak, mask),
        kind=step.step.kind,
        step=step.step.index,
        names=(value.shown, call.target.shown),
        test=test,
        remedy=_hidden(hiding(call.index, step, leak, value, mask, softmax_of(step, leak) if leak is not None else None)),
    )


def _hidden(made: Remedy | None) -> Remedy | None:
    """What is seen ahead helps in training, so that the loss may fall as far without the fix: what was learnt shows where the next token is not there."""
    return unseen(made)


def _test(call: Call, value: Value) -> Test:
    return Test(
        Perturb(value.name, call.prediction.name, call.target.name),
        "predictions at earlier positions change with later entries",
        required=True,
    )


def _evidence(call: Call, value: Value, figures: Mapping[str, float]) -> Iterator[Evidence]:
    if "leak" not in figures:
        return
    yield Evidence(
        f"{percent(figures.get('shifted', 0.0))} of the targets in {typed(call.target)} are the next entry of {typed(value)}",
        "shifted",
        figures.get("shifted"),
    )
    yield Evidence(
        f"with other entries in the later half, predictions in the earlier half change by up to {figure(figures['leak'])} of their size; in rows left alone by {figure(figures.get('control'))}",
        "leak",
        figures["leak"],
    )


def mask_of(step: StepIndex, op: Op, value: Value) -> Value | None:
    """The mask between positions that an attention reads, made neither from the data nor from parameters."""
    data = step.downstream((value.name,))
    near = step.upstream(op.output) & data
    lengths = set((value.shape or ())[:2])
    for other in reversed(step.graph.ops):
        if near.isdisjoint(other.outputs):
            continue
        for name in other.inputs:
            shape = step.value(name).shape or ()
            free = name not in data and name not in step.depends_on_parameters and step.value(name).role != "parameter"
            if free and len(shape) > 1 and shape[-1] == shape[-2] and shape[-1] in lengths:
                return step.value(step.origin(name, _FORMS[:2]))
    return None


def _drawn_at(step: StepIndex, mask: Value) -> Site | None:
    """Where the mask got its pattern: of a part or another shape of it, what that was taken from, if the step shows it."""
    whole = step.origin(mask.name, _FORMS[:3])
    made = step.producer.get(whole) or step.producer.get(mask.name)
    return made[1].site if made is not None else None


def site_of(step: StepIndex, op: Op) -> Site | None:
    """The softmax of an attention that is written out; the layer of a recurrent one or a convolution; else the call."""
    if op.kind in ("rnn", "conv"):
        return edited_at(step, op)
    softmax = softmax_of(step, op)
    return softmax.site if softmax is not None and softmax.site is not None else op.site


def softmax_of(step: StepIndex, op: Op) -> Op | None:
    """The softmax of the weights by which an attention that is written out adds up the positions."""
    weights = [step.origin(name, ("layout", "cast")) for name in op.inputs]
    made = [step.producer[name][1] for name in weights if name in step.producer]
    dropped = [step.producer[name][1] for one in made if one.kind == "dropout" for name in one.inputs[:1] if name in step.producer]
    return next((one for one in (*made, *dropped) if one.kind == "softmax"), None)


def _help(index: Index, op: Op | None, mask: Value | None) -> str:
    if mask is not None:
        return f"let the mask hide every later position and no earlier one: {idiom(index, 'hidden positions')}"
    if op is not None and op.kind in ("rnn", "conv"):
        return idiom(index, "one way" if op.kind == "rnn" else "pad left")
    return idiom(index, "causal mask")
