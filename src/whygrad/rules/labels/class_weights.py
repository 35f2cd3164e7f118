"""Class weights of a loss that take classes out of it: for WG105, where none is left, and WG108, where most are gone or a division lost them."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import StepIndex
from whygrad.flow.makers import making_site
from whygrad.ir import Op, Statistics, Value
from whygrad.loss_contracts import target_of
from whygrad.rules.loss.calls import BY_IDS, Call
from whygrad.rules.phrases import places, typed

HALF = 0.5
"""Share of classes from which weights of 0 can't be meant: one class, such as padding or the background, is left out on purpose."""
_WHOLE = frozenset(("round", "integer_cast"))
"""Kinds of op that turn quotients into whole numbers: floor division, casts to integers."""


def class_weights(step: StepIndex, op: Op) -> Value | None:
    """The weights that a loss over class ids is given, one for each class."""
    if op.kind not in BY_IDS:
        return None
    shape = step.value(op.inputs[0]).shape or () if op.inputs else ()
    classes = shape[1 if len(shape) > 1 else 0] if shape else None
    others = (step.value(name) for name in op.inputs[1:] if name != target_of(op))
    return next((value for value in others if value.shape == (classes,)), None)


def figures_of(value: Value) -> Statistics | None:
    """The figures of the weights, if each of them was looked at."""
    figures = value.statistics
    return figures if figures is not None and figures.zeros is not None and not figures.sampled and figures.finite == 1.0 else None


def no_class_counts(step: StepIndex, op: Op) -> Value | None:
    """The weights, if every one of them is 0."""
    weights = class_weights(step, op)
    figures = figures_of(weights) if weights is not None else None
    return weights if figures is not None and figures.zeros == 1.0 else None


def left_out(call: Call) -> Iterator[Diagnosis]:
    """Weights of 0 for most classes, or for some because a division was rounded."""
    weights = class_weights(call.step, call.op)
    figures = figures_of(weights) if weights is not None else None
    if weights is None or figures is None or figures.zeros is None or not 0 < figures.zeros < 1:
        return
    above = call.step.upstream(weights.name)
    made = next((op for op in call.step.graph.ops if op.kind in _WHOLE and not above.isdisjoint(op.outputs)), None)
    if made is not None or figures.zeros >= HALF:
        yield diagnosis(call, weights, figures, made)


def weighed(call: Call) -> Iterator[str]:
    """What losses with class weights make, in every step: the mean over a batch of classes without weight is 0/0."""
    return (name for step in call.index.steps for op in step.loss_ops() if class_weights(step, op) is not None for name in op.outputs)


def diagnosis(call: Call, weights: Value, figures: Statistics, made: Op | None) -> Diagnosis:
    """What is said, where the weights were rounded or made."""
    zeros = round((figures.zeros or 0) * figures.count)
    site = made.site if made is not None and made.site is not None else making_site(call.index, call.step, weights.name)
    rounded = "; they were made whole numbers on the way" if made is not None else ""
    return Diagnosis(
        rule="WG108",
        name="few-labels-used",
        severity="warning",
        confidence="proved",
        message=f"`{weights.shown}` gives {zeros} of {figures.count} classes the weight 0, so that their labels do not count",
        site=site or call.op.site,
        label="quotients below 1 become 0 here" if made is not None else "the weights come from here",
        related=places((call.op.site if site else None, f"`{call.called}` weighs the labels with them here")),
        evidence=(Evidence(f"{typed(weights)}: {zeros} of {figures.count} entries are 0{rounded}", "zeros", figures.zeros),),
        help="divide without rounding (`/`, in floating point), and print the weights: each class that is to be learnt needs one above 0",
        facts=frozenset({Fact("odd-input", weights.name)}),
        explains=frozenset({Fact("stands", str(call.step.step.kind)), *(Fact("non-finite", name) for name in weighed(call))}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=(weights.shown,),
    )
