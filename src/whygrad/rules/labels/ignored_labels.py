"""WG105: every label is ignored or masked out."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import making_site
from whygrad.ir import Op, Site, Statistics, Value, family
from whygrad.loss_contracts import target_of
from whygrad.rules import rule
from whygrad.rules.labels.class_weights import no_class_counts
from whygrad.rules.labels.cut_off import cut_off, places_of_cut
from whygrad.rules.labels.evidence import once_varied, varied
from whygrad.rules.labels.unaligned import unaligned
from whygrad.rules.phrases import figure, places, typed
from whygrad.rules.remedies import turned_round


@dataclass(frozen=True, slots=True)
class Nothing:
    """A place of a step at which no label is left."""

    step: StepIndex
    op: Op
    cause: Value
    """The labels that are all ignored, or the mask that lets none through."""
    why: str
    advice: str = "print the share of labels that are kept: a mask that is turned round, a padding id that is a class, labels cut off with the end of the text, or weights that a whole division made 0"


@rule("WG105", "ignored-labels", "error", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Every label is ignored or masked out, so that the loss is a mean over nothing.

    ## What it finds
    Targets that all equal the loss's `ignore_index`; a mask of zeros that multiplies the loss of each entry; a selection by a mask that
    picks nothing at all. Class weights that are all 0. In PyTorch and TensorFlow, a connectionist temporal classification whose labels all have more
    letters than the model gives frames, or than the loss is told of. Returns or advantages that are normalised along an axis of one entry: each less itself is 0.

    ## Why it matters
    The loss is 0 or not a number, and no gradient comes of it. Some trainers show 0.0 for it, which looks like success.

    ## When it is fine
    A single batch may hold nothing to learn, for instance where a prompt fills the whole context. The rule asks for all recorded steps of a
    kind. A factor of zero on a whole term of the loss, such as a warm-up, belongs to WG102.

    ## How sure
    Proved by the recorded labels or masks. Where the step can be replayed, these are drawn anew, and the report gives the gradient that comes of it.

    ## References
    `torch.nn.CrossEntropyLoss` (`ignore_index`); Keras, `SparseCategoricalCrossentropy(ignore_class=…)`; `whygrad explain WG108` (most labels are ignored).
    """
    for steps in index.kinds.values():
        lossy = [step for step in steps if step.losses]
        found = [next(nothing_left(step), None) for step in lossy]
        if found and None not in found:
            first = next(one for one in found if one)
            yield diagnosis(index, first, len(found))
    yield from unaligned(index)


def nothing_left(step: StepIndex) -> Iterator[Nothing]:
    """Where no label is left, if no other loss of the step has some."""
    if any(is_fed(step, op) for op in step.loss_ops()):
        return
    for op in step.graph.ops:
        if op.failed or step.shapes_loss.isdisjoint(op.outputs):
            continue
        target = target_of(op) if family(op.kind) == "loss" else None
        if target is not None and all_are(step.value(target), op.attributes.get("ignore_index")):
            yield Nothing(step, op, step.value(target), f"all of them are {op.attributes.get('ignore_index')}, which the loss ignores")
        if (weights := no_class_counts(step, op)) is not None:
            yield Nothing(step, op, weights, "every class has the weight 0")
        yield from masked(step, op)


def is_fed(step: StepIndex, op: Op) -> bool:
    """A loss with labels whose result reaches the end without a mask that takes everything away."""
    target = target_of(op)
    if target is None or op.failed or all_are(step.value(target), op.attributes.get("ignore_index")) or no_class_counts(step, op):
        return False
    after = step.downstream(op.outputs)
    return not any(not after.isdisjoint(other.inputs) and any(masked(step, other)) for other in step.graph.ops)


def all_are(value: Value, number: object) -> bool:
    """Every entry equals this number."""
    figures = value.statistics
    return (
        isinstance(number, int | float)
        and figures is not None
        and not figures.sampled
        and figures.count > 0
        and figures.minimum == figures.maximum == number
    )


def masked(step: StepIndex, op: Op) -> Iterator[Nothing]:
    """A mask that lets nothing of what parameters shape through."""
    if op.kind not in ("mul", "index", "where") or len(op.inputs) < 2 or op.inputs[0] == op.inputs[1] or not op.outputs:  # noqa: PLR2004 - a value and a mask
        return
    shaped = [name for name in op.inputs if name in step.depends_on_parameters]
    masks = [name for name in op.inputs if name not in step.depends_on_parameters and several(step.value(name))]
    if not shaped or not masks or step.from_labels.isdisjoint(step.upstream(op.output)) or not several(step.value(shaped[0])):
        return
    mask = step.value(masks[-1 if op.kind == "index" else 0])
    if both_ways(step, mask.name):
        return
    if op.kind == "mul" and zero(mask.statistics) and not zero(step.value(shaped[0]).statistics):
        yield centred(step, op, mask) or left_out(step, op, mask) or Nothing(step, op, mask, "every entry of the mask is 0")
    elif (
        op.kind == "where"
        and mask.dtype == "bool"
        and zero(step.value(op.output).statistics)
        and not zero(step.value(shaped[0]).statistics)
    ):
        yield Nothing(step, op, mask, "the condition leaves only zeros")
    elif op.kind == "index" and mask.dtype == "bool" and 0 in (step.value(op.output).shape or ()):
        yield Nothing(step, op, mask, "the mask picks nothing")


def left_out(step: StepIndex, op: Op, mask: Value) -> Nothing | None:
    """The mask compares labels with a number, and all of these are one and the same: they were made so, and the mask does what it should."""
    made = step.producer.get(step.origin(mask.name, ("cast",)))
    if made is None or made[1].kind != "compare" or not made[1].inputs:
        return None
    # timid: labels that the parameters shape are no labels
    alike = [step.value(name) for name in made[1].inputs if several(step.value(name)) and name not in step.depends_on_parameters]
    figures = alike[0].statistics if len(alike) == 1 else None
    if figures is None or figures.sampled or figures.minimum is None or figures.minimum != figures.maximum:
        return None
    why = f"all of them are {figure(figures.minimum)}, and the mask that is made of them leaves that out"
    return Nothing(step, op, alike[0], why)


def both_ways(step: StepIndex, mask: str) -> bool:
    """What it takes out is what one minus it leaves in: marks of pairs that belong together and of those that do not, in one loss."""
    whose, turned = unturned(step, mask)
    weighed = (name for op in step.of("mul") if len(op.inputs) > 1 and not step.shapes_loss.isdisjoint(op.outputs) for name in op.inputs)
    return any(unturned(step, name) == (whose, not turned) for name in weighed)


def unturned(step: StepIndex, name: str) -> tuple[str, bool]:
    """A mask before it was cast and taken from one, and whether it was."""
    name = step.origin(name, ("cast",))
    op = step.producer[name][1] if name in step.producer else None
    turned = op is not None and op.kind == "sub" and len(op.inputs) == 1
    return (step.origin(op.inputs[0], ("cast",)), True) if op is not None and turned else (name, False)


def centred(step: StepIndex, op: Op, mask: Value) -> Nothing | None:
    """What multiplies is a value less its mean along an axis of one entry: each less itself."""
    made = step.producer.get(step.origin(mask.name))
    if made is not None and made[1].kind == "div":
        made = step.producer.get(step.origin(made[1].inputs[0]))
    if made is None or made[1].kind != "sub" or len(made[1].inputs) != 2:  # noqa: PLR2004 - a value and its mean
        return None
    value = step.value(made[1].inputs[0])
    mean = step.producer.get(step.origin(made[1].inputs[1]))
    if mean is None or mean[1].kind != "mean" or mean[1].inputs[:1] != (value.name,) or value.shape is None:
        return None
    if prod(step.value(mean[1].output).shape or ()) != prod(value.shape):
        return None
    return Nothing(
        step,
        op,
        mask,
        f"`{value.shown}` less its mean along an axis of one entry is 0"
        if value.called
        else "what has its mean taken off along an axis of one entry is 0",
        "take the mean and the standard deviation over all entries of the batch, or along the axis that has several",
    )


def several(value: Value) -> bool:
    """More than one entry: a factor is no mask."""
    return bool(value.shape) and value.shape != (1,)


def zero(figures: Statistics | None) -> bool:
    """Every entry is known to be zero."""
    return figures is not None and figures.count > 0 and figures.zeros == 1.0 and not figures.sampled


def diagnosis(index: Index, found: Nothing, steps: int) -> Diagnosis:
    """What is said, where the mask or the labels were made."""
    step, cause = found.step, found.cause
    cut, written = places_of_cut(cut_off(step, cause.name))
    made: Site | None = cut or making_site(index, step, cause.name)
    loss = step.step.measures.loss
    starved = tuple(p.name for p in step.step.parameters if p.trainable and p.gradient in ("none", "zero", "non-finite"))
    return Diagnosis(
        rule="WG105",
        name="ignored-labels",
        severity="error",
        confidence="proved",
        message=f"no label counts: {'`' + cause.shown + '`: ' if cause.called else ''}{found.why}",
        site=made or found.op.site,
        label="nothing is left of the labels",
        related=places(written, (found.op.site if made else None, "and takes every label out of the loss here")),
        evidence=(
            Evidence(f"{typed(cause)}: {found.why}, in {steps} of {steps} recorded steps"),
            *((Evidence(f"the loss is {figure(loss)}", "loss", loss),) if loss is not None else ()),
            *once_varied(step, cause.name),
        ),
        help=found.advice,
        facts=frozenset({Fact("unread", name) for name in step.step.labels.values}),
        explains=frozenset(Fact("no-gradient", parameter) for parameter in starved)
        | {Fact("insensitive", str(step.step.kind))}
        | {Fact("non-finite", name) for name in came_of(step, found.op)}
        | {Fact("constant", name) for name in step.step.labels.values},
        kind=step.step.kind,
        step=step.step.index,
        names=(cause.shown,),
        test=varied(step, cause.name, starved) if cause.shape else None,
        remedy=turned_round(index, made, cause) if compares(step, found) else None,
    )


def came_of(step: StepIndex, op: Op) -> frozenset[str]:
    """The loss, and what is computed on the way to it from what is left of the labels: a sum of nothing is divided by the number of nothing."""
    return step.downstream(op.outputs).union(step.losses)


def compares(step: StepIndex, found: Nothing) -> bool:
    """A mask that comes from a comparison: the other entries are those that were meant."""
    maker = step.producer.get(step.origin(found.cause.name, ("cast",)))
    return found.op.kind in ("mul", "index") and maker is not None and maker[1].kind == "compare"
