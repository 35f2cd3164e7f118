"""WG208: a softmax over a single unit is always 1."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.layers import unit_axis, units
from whygrad.flow.makers import edited_at, layer_behind
from whygrad.idioms import idiom, names_activations
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Site, Value, family
from whygrad.rules import rule
from whygrad.rules.loss.calls import INTEGERS, bounds, calls, went_back
from whygrad.rules.loss.exceptions import raised_by
from whygrad.rules.loss.ids import outsiders
from whygrad.rules.phrases import distinct, figure, finite, places, typed
from whygrad.rules.remedies import ACTIVATIONS, other_loss, remedy, setting

ROUNDING = 1e-6
"""Norm of a gradient up to which it may be what is left of terms that cancel."""
_SOFTMAX = frozenset(("softmax", "log_softmax", "gumbel_softmax"))


@dataclass(frozen=True, slots=True)
class Alone:
    """A softmax, or a cross-entropy that applies one, and its single score."""

    step: StepIndex
    op: Op
    scores: Value
    axis: int
    other: int | None
    """An axis of several entries that may have been meant."""
    avoided: bool = False
    """The loss was calculated from the scores behind it."""


@rule("WG208", "softmax-over-one", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A softmax is taken over an axis with a single entry, so that its result is 1 whatever the input.

    ## What it finds
    A softmax over the one output unit of a layer, as in a network for a yes-or-no question that ends in `Linear(n, 1)` and `Softmax`; a
    `cross_entropy` on predictions with one column, which applies a softmax itself, with class ids or with shares; attention weights (N, T, 1) normalised over the last
    axis instead of the axis of the T positions.

    ## Why it matters
    A softmax shares 1 out among its entries; one entry alone gets all of it. The output never changes, its derivative is exactly zero, and
    nothing below it learns. The loss stays where it was at the start.

    ## When it is fine
    Attention over a sequence that happens to have one position gives 1 as well, and that is right. The rule speaks only where the single
    entry is the one output unit of a layer, which no longer batch or sequence can change.

    ## How sure
    Proved by the recorded shapes.

    ## References
    `torch.nn.Softmax`, `torch.nn.Sigmoid`. In Keras, `Dense(1, activation="softmax")` with the framework's own binary cross-entropy is
    computed as if it were a sigmoid, so that the loss falls while every prediction stays 1; with any other loss nothing is learnt.
    """
    # one output for several classes is what was mistaken: WG220
    short = {id(found.call.step) for found in outsiders(index) if found.too_few_outputs and found.classes == 1}
    yield from distinct(diagnosis(index, found) for step in index.steps if id(step) not in short for found in alone(index, step))


def alone(index: Index, step: StepIndex) -> Iterator[Alone]:
    """Softmaxes over the single output unit of a layer, on the way to the loss, which may have raised."""
    avoided = [back.output for op in step.loss_ops() if (back := went_back(step, op)) is not None]
    refused = [name for op in step.loss_ops() if op.failed for given in op.inputs for name in (given, *step.upstream(given))]
    known = step.shapes_loss.union(avoided, refused)
    for op in step.of(*_SOFTMAX):
        axis = op.attributes.get("axis")
        if op.inputs and isinstance(axis, int) and not known.isdisjoint(op.outputs):
            scores = step.value(op.inputs[0])
            if scores.shape and -len(scores.shape) <= axis < len(scores.shape) and scores.shape[axis] == 1 and is_unit(step, scores, axis):
                other = next((at for at, size in enumerate(scores.shape[1:-1], 1) if size > 1), None)
                yield Alone(step, op, scores, axis, other, step.shapes_loss.isdisjoint(op.outputs))
    for call in calls(index):
        shape = call.prediction.shape or ()
        told = call.by_ids and call.target.dtype in INTEGERS
        one = len(shape) > 1 and shape[1] == 1 and (told or call.target.shape == shape)
        if call.step is step and one and call.op.kind == "cross_entropy" and is_unit(step, call.prediction, 1):
            yield Alone(step, call.op, call.prediction, 1, None)


def is_unit(step: StepIndex, scores: Value, axis: int) -> bool:
    """The axis is the output units of a layer, of which there is one."""
    found = layer_behind(step, scores.name)
    if found is None or not scores.shape:
        return False
    layer, parameter = found
    made, at = step.value(layer.output).shape, axis % len(scores.shape)
    if not made or parameter is None:
        return False
    weight = step.value(parameter.value).shape or ()
    one = layer.kind in ("linear", "conv", "matmul") and units(layer, weight) == 1
    unit = unit_axis(layer, made)
    # timid: where the axes were changed in between, which of them is the unit can't be told
    return one and made[unit] == 1 and (made == scores.shape) and at == unit


def diagnosis(index: Index, found: Alone) -> Diagnosis:
    """What is said, at the softmax."""
    op, step = found.op, found.step
    made = op.output if op.kind in _SOFTMAX else found.scores.name
    what = f"`{op.kind}`" if op.kind in _SOFTMAX else f"`{op.kind}`, which applies a softmax,"
    norm = step.step.measures.gradient_norm
    pushed = op.kind not in _SOFTMAX and norm is not None and finite(norm) and norm > ROUNDING
    passes = "and so is every prediction" if found.avoided else "whatever the model puts out" if pushed else "and no gradient passes"
    evidence = [Evidence(f"{typed(found.scores)} has one entry along axis {found.axis}: softmax gives 1 whatever it is")]
    if found.avoided:
        evidence.append(
            Evidence("the loss went back to the scores behind it, as Keras does, so that it falls: what the model predicts does not")
        )
    elif norm is not None and finite(norm):
        why = ": the loss hands back the softmax less the label, where the labels of a row are not 1 in all" if pushed else ""
        evidence.append(Evidence(f"the gradient norm of this step is {figure(norm)}{why}", "gradient_norm", norm))
    starved = frozenset(Fact("no-gradient", p.name) for p in step.step.parameters if p.trainable and p.gradient in ("none", "zero"))
    kind = str(step.step.kind)
    stands = frozenset() if found.avoided else starved | {Fact("insensitive", kind), Fact("constant-loss", kind)}
    return Diagnosis(
        rule="WG208",
        name="softmax-over-one",
        severity="error",
        confidence="proved",
        message=f"{what} over a single unit is always 1, {passes}",
        site=edited_at(step, op) if op.kind in _SOFTMAX else op.site,
        label=f"axis {found.axis} of {found.scores.type} has one entry",
        related=places((op.site if op.made and op.kind in _SOFTMAX else None, "it is applied here")),
        evidence=tuple(evidence),
        help=_help(index, found),
        facts=frozenset({Fact("odd-input", made)}),
        explains=stands | raised_by(index, step, op),
        kind=step.step.kind,
        step=step.step.index,
        names=(found.scores.shown,),
        remedy=_remedy(index, found),
    )


def _help(index: Index, found: Alone) -> str:
    if found.op.kind not in _SOFTMAX:
        return idiom(index, "two outputs")
    if found.other is not None:
        return f"normalise over the entries that compete: {idiom(index, 'axis', axis=found.other)}"
    return "use a sigmoid for one yes-or-no unit, or give the layer one output for each class"


def _remedy(index: Index, found: Alone) -> Remedy | None:
    """A sigmoid in its place, or the axis along which entries compete where there is one such; the loss for yes and no where the loss applies the softmax."""
    site = edited_at(found.step, found.op)
    if found.op.kind not in _SOFTMAX:
        return _asked_once(index, found)
    if site is None:
        return None
    if found.other is not None:
        return _along(index, found, found.other, site)
    if found.op.kind != "softmax":
        return None
    return remedy(
        "use a sigmoid for the single unit",
        Edit("swap", site, spelling(index, "sigmoid"), ACTIVATIONS["softmax"]),
        otherwise=(setting(site, "activation", '"sigmoid"') if names_activations(index) else None,),
    )


def _asked_once(index: Index, found: Alone) -> Remedy | None:
    """The loss for one question, where the labels are its answers; PyTorch's and optax' take the scores, Keras' what it is told."""
    call = next((call for call in calls(index) if call.op is found.op), None)
    low, high = (bounds(call.target) if call is not None else None) or (-1.0, -1.0)
    activated = found.step.producer.get(found.step.origin(found.scores.name, ("layout", "cast")))
    limited = activated is not None and family(activated[1].kind) == "activation" and not found.op.native.startswith("keras.")
    if call is None or low < 0 or high > 1 or call.target.shape != found.scores.shape or limited:
        return None
    instead = other_loss(index, found.op, "cross-entropy of yes or no")
    return remedy("use the loss for one yes-or-no unit", instead, changes="the loss becomes a binary cross-entropy")


def _along(index: Index, found: Alone, axis: int, site: Site) -> Remedy | None:
    """The softmax over the other axis; with several of them, which one is meant is the user's to say."""
    sizes = (found.scores.shape or ())[1:-1]
    if sum(1 for size in sizes if size > 1) != 1:
        return None
    keyword = spelling(index, "axis")
    return remedy(
        f"normalise over axis {axis}",
        setting(site, keyword, str(axis), calls=("softmax", "Softmax", "log_softmax", "LogSoftmax"), position=-1),
        changes=f"the {sizes[axis - 1]} entries along axis {axis} share 1 among them",
    )
