"""WG211: a softmax, or a loss that applies one, over another axis than the classes."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.axes import entries_of
from whygrad.flow.makers import edited_at
from whygrad.idioms import idiom
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op
from whygrad.rules import rule
from whygrad.rules.loss.along_examples import along_examples
from whygrad.rules.loss.batch_axis import along_the_batch, pooled
from whygrad.rules.loss.calls import INTEGERS, Call, about_loss, calls, once_a_fault, went_back
from whygrad.rules.loss.pictures import cut_pictures
from whygrad.rules.loss.reshaping import cut_across, reshaped, spread_examples, spread_out
from whygrad.rules.loss.similarity_axis import compared_across
from whygrad.rules.phrases import figure, places, typed
from whygrad.rules.remedies import ACTIVATIONS, operand, remedy, setting

_SOFTMAX = frozenset(("softmax", "log_softmax"))
_FEATURES_LAST = frozenset(("linear", "rnn", "attention", "layer_norm"))
_CATEGORICAL = frozenset(("nll_loss", "cross_entropy", "categorical_cross_entropy", "binary_cross_entropy", "kl_div"))


@dataclass(frozen=True, slots=True)
class Written:
    """A cross-entropy that the program writes out itself."""

    softmax: Op
    added: Op
    """The sum over the classes."""
    value: str
    """The logarithms."""
    axis: int
    """The axis that the softmax normalises."""


@rule("WG211", "wrong-axis", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Probabilities are shared out over the batch or the sequence instead of over the classes.

    ## What it finds
    A softmax or log-softmax over another axis than the one on which the loss finds the classes, also where its result is reshaped, transposed or picked from in between; `cross_entropy` on predictions
    (N, T, C), whose classes it expects on the second axis: it raises, or where T equals C takes the positions for classes. The same where the program writes the cross-entropy out: labels times logarithms, added up along another axis.
    Weights of positions, as in attention pooling, that are normalised over the batch and added up along the positions.
    Features whose norms are made 1 along the batch, and whose rows are then compared by `z @ z.T`.
    A recurrent layer or an attention that is given (batch, time, features) and reads it as (time, batch, features), or the other way round before a CTC loss;
    one whose axis of positions is that of examples in an order that was drawn, by a loader or by `randperm`, whatever the labels are.
    A `view` or `reshape` between a layer and the loss that cuts rows of as many entries as there are classes across another axis: scores (N, C, T) as
    `reshape(-1, C)`, or (N, T, C) as `view(N, C, T)`, where the axes have to change places first. A `view` that spreads the entries of one example over several rows of the batch: (N, T, F) as
    `view(T, N, F)`, a recurrent layer's last state (2, N, H) as `view(N, 2 * H)`, the outputs (T, N, H) of a scan over transposed data as `reshape(N, T, H)`. Pictures (H, W, 3) that are reshaped to (3, H, W) for a convolution.

    ## Why it matters
    The examples of a batch compete with one another: what the network says of one depends on which others happen to be with it, and for a
    single example its output is constant. Keras' losses go back to the scores from before a softmax, so that training goes well there and the predictions stay wrong.

    ## When it is fine
    A table whose columns are compared, `z.T @ z`, is normalised along the batch rightly. Contrastive losses normalise over both axes of a table of pairs on purpose, with labels that number the pairs; attention has its own axis, and where it is meant to look across the batch, as some layers for rare classes do, the line can say so
    (`# whygrad: ignore[WG211]`).
    Only a softmax whose output goes straight to a loss with labels counts.

    ## How sure
    Proved by the axis of the recorded call and the sums of the rows that the loss was given.

    ## References
    `torch.nn.Softmax` (`dim`; without it, dimension 0 is taken for inputs of one or three axes), `torch.nn.CrossEntropyLoss` (shape);
    `axis` of `tf.nn.softmax` and `jax.nn.softmax`.
    """
    normalised = [over_axis(call, *found) for call in calls(index) for found in other_axis(call)]
    swapped = [transposed(call) for call in calls(index) if takes_positions(call)]
    written = [by_hand(index, step, found) for step in index.steps for found in hand_written(step)]
    along = [found for call in calls(index) for found in (*along_the_batch(call), *pooled(call))]
    along += along_examples(index)
    cut = [reshaped(call, found) for call in calls(index) if (found := cut_across(call)) is not None]
    spread = [spread_out(call, op, rows) for call in calls(index) for op, rows in spread_examples(call)]
    compared = [found for call in calls(index) for found in compared_across(call)]
    yield from cut_pictures(index)
    yield from once_a_fault((*along, *normalised, *swapped, *written, *cut, *spread, *compared))


def hand_written(step: StepIndex) -> Iterator[Written]:
    """Labels times the logarithm of a softmax, summed over another axis than the one that the softmax normalises."""
    labels = step.from_labels - step.depends_on_parameters
    for op in step.of("mul"):
        if len(op.inputs) != 2 or step.shapes_loss.isdisjoint(op.outputs) or len(labels.intersection(op.inputs)) != 1:  # noqa: PLR2004 - labels and logarithms
            continue
        target, other = op.inputs if op.inputs[0] in labels else op.inputs[::-1]
        softmax, shape = _behind_log(step, other), step.value(other).shape or ()
        added = next((reader for reader in step.consumers.get(op.output, ()) if reader.kind == "sum"), None)
        axis, over = softmax.attributes.get("axis") if softmax else None, added.attributes.get("axis") if added else None
        # timid: a square table may be one of pairs, normalised both ways on purpose
        flat = len(shape) == 2 and shape[0] != shape[1] and step.value(target).shape == shape  # noqa: PLR2004 - rows and classes
        if softmax and added and flat and isinstance(axis, int) and isinstance(over, int) and axis % 2 != over % 2 and shape[axis] > 1:
            yield Written(softmax, added, other, axis % 2)


def _behind_log(step: StepIndex, name: str) -> Op | None:
    """The softmax whose logarithm this is, a small number added or limits put in between; or the log-softmax itself."""
    logarithm = False
    while name in step.producer:
        op = step.producer[name][1]
        if op.kind == "log_softmax" or (op.kind == "softmax" and logarithm):
            return op
        passing = op.kind in ("log", "clamp", "maximum", "minimum", "cast") or (op.kind == "add" and len(op.inputs) == 1)
        if not passing or not op.inputs:
            return None
        logarithm |= op.kind == "log"
        name = op.inputs[0]
    return None


def by_hand(index: Index, step: StepIndex, found: Written) -> Diagnosis:
    """What is said of a cross-entropy that the program writes out."""
    op, value = found.softmax, step.value(found.value)
    shape = value.shape or (0, 0)
    classes = 1 - found.axis
    which = "the batch" if found.axis == 0 else "axis 1"
    return Diagnosis(
        rule="WG211",
        name="wrong-axis",
        severity="error",
        confidence="proved",
        message=f"`{op.kind}` normalises over {which}, and the loss adds the classes up along axis {classes}",
        site=edited_at(step, op),
        label=f"{idiom(index, 'axis', axis=found.axis)} is {'the batch' if found.axis == 0 else 'not the axis of the classes'}",
        related=places((op.site if op.made else None, "it is applied here"), (found.added.site, "labels times logarithms are added up here")),
        evidence=(
            Evidence(f"{value.type} is normalised over its {shape[found.axis]} entries along axis {found.axis}, not over the {shape[classes]} along axis {classes}"),
        ),
        help=f"write {idiom(index, 'axis', axis=classes)}",
        remedy=_remedy(index, step, op, classes),
        facts=frozenset({Fact("odd-input", op.output)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(value.shown,),
    )  # fmt: skip


def other_axis(call: Call) -> Iterator[tuple[Op, int, int]]:
    """The softmax that made the prediction with its axis and that of the classes in its result, if they are two."""
    rank, step, back = len(call.prediction.shape or ()), call.step, went_back(call.step, call.op)
    found = (back, class_axis(call)) if back is not None else entries_of(step, call.prediction.name, class_axis(call))
    if found is not None and found[0].kind == "log" and found[0].inputs:
        found = entries_of(step, found[0].inputs[0], found[1])
    if found is None or found[0].kind not in _SOFTMAX or call.op.kind not in _CATEGORICAL or rank < 2:  # noqa: PLR2004 - rows and classes
        return
    (op, classes), axis = found, found[0].attributes.get("axis")
    shape = step.value(op.output).shape or ()
    if not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
        return
    at = axis % len(shape)
    # timid: a table of pairs is normalised both ways on purpose
    if at != classes and shape[at] > 1 and not (len(shape) == 2 and shape[0] == shape[1]) and call.target.name in step.from_data:  # noqa: PLR2004 - a table
        yield op, at, classes


def class_axis(call: Call) -> int:
    """The axis on which the loss finds the classes: what it was told, else as losses of its kind have it."""
    told, rank = call.op.attributes.get("axis"), len(call.prediction.shape or ())
    axis = told if isinstance(told, int) else call.contract.class_axis if call.contract.class_axis is not None else -1
    return axis % max(rank, 1)


def takes_positions(call: Call) -> bool:
    """A cross-entropy on the output of a layer whose features are the last axis, and whose second axis is something else."""
    prediction, target = call.prediction.shape or (), call.target.shape or ()
    if call.op.kind not in ("cross_entropy", "nll_loss") or len(prediction) < 3 or call.target.dtype not in INTEGERS:  # noqa: PLR2004 - rows, positions and classes
        return False
    if call.op.attributes.get("axis") in (-1, len(prediction) - 1):
        return False
    made = call.step.producer.get(call.step.origin(call.prediction.name, ("cast", "activation")))
    last = made is not None and made[1].kind in _FEATURES_LAST and call.step.value(made[1].output).shape == prediction
    meant = target == prediction[:-1]
    return last and meant and (call.op.failed or prediction[1] == prediction[-1])


def over_axis(call: Call, op: Op, axis: int, classes: int) -> Diagnosis:
    """What is said of a softmax."""
    back = went_back(call.step, call.op)
    given = call.step.value(back.output) if back is not None else call.prediction
    result, sums = call.step.value(op.output), given.statistics.row_sums if given.statistics else None
    shape, moved = result.shape or (), result.shape != given.shape
    which = "the batch" if axis == 0 else f"axis {axis}"
    measured = (
        (Evidence(f"the rows that `{call.called}` was given sum to between {figure(sums[0])} and {figure(sums[1])}", "row_sum", sums[1]),)
        if sums and op.kind == "softmax" and not moved
        else ()
    )
    around = (Evidence("the loss went back to the scores behind it, as Keras does, so that it falls: what the model predicts is still shared out over the other axis"),)  # fmt: skip
    lying = f"the classes that `{call.called}` reads lie" if moved else f"`{call.called}` finds the classes"
    return Diagnosis(
        rule="WG211",
        name="wrong-axis",
        severity="error",
        confidence="proved",
        message=f"`{op.kind}` normalises over {which}, and {lying} on axis {classes}",
        site=edited_at(call.step, op),
        label=f"{idiom(call.index, 'axis', axis=axis)} is {'the batch' if axis == 0 else 'not the axis of the classes'}",
        related=places((op.site if op.made else None, "it is applied here"), (call.op.site, f"`{call.called}` reads it here")),
        evidence=(
            Evidence(
                f"{typed(result if moved else given)} is normalised over its {shape[axis]} entries along axis {axis}, not over the {shape[classes]} classes"
            ),
            *measured,
            *(around if back is not None else ()),
        ),
        help=f"write {idiom(call.index, 'axis', axis=classes)}",
        remedy=_remedy(call.index, call.step, op, classes),
        facts=frozenset({Fact("odd-input", call.prediction.name)}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=((result if moved else call.prediction).shown,),
    )


def transposed(call: Call) -> Diagnosis:
    """What is said of a cross-entropy that takes positions for classes."""
    shape = call.prediction.shape or ()
    raised = "raised" if call.op.failed else "takes the positions for the classes, as there happen to be as many"
    name = call.prediction.shown
    return about_loss(
        call,
        f"takes axis 1 of {call.prediction.type} for the classes",
        rule="WG211",
        name="wrong-axis",
        severity="error",
        confidence="proved",
        message=f"`{call.called}` expects the classes on axis 1, and `{name}` has them on its last axis",
        evidence=(Evidence(f"{typed(call.prediction)} against {typed(call.target)}: the loss {raised}"),),
        help=idiom(call.index, "swap classes", name=call.prediction.written, last=len(shape) - 2, target=call.target.written),
        remedy=remedy(
            "move the classes to axis 1",
            operand(call.op, call.prediction, spelling(call.index, "axis moved", axis=-1, to=1).replace(".contiguous()", "")),
        ),
        facts=frozenset({Fact("odd-shape", call.prediction.name)}),
    )


def _remedy(index: Index, step: StepIndex, op: Op, classes: int) -> Remedy | None:
    """The axis of the classes in the place of the one that is written."""
    return remedy(
        "normalise over the classes",
        setting(edited_at(step, op), spelling(index, "axis"), str(classes), calls=ACTIVATIONS.get(op.kind, ()), position=-1),
    )
