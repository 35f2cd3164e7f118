"""Class weights of a loss that take classes out of it: for WG105, where none is left, and WG108, where most are gone or a division lost them."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import making_site
from whygrad.ir import Event, Op, Statistics, Value
from whygrad.loss_contracts import target_of
from whygrad.rules.loss.calls import BY_IDS, Call
from whygrad.rules.phrases import places, plural, typed

HALF = 0.5
"""Share of classes from which weights of 0 can't be meant: one class, such as padding or the background, is left out on purpose."""
BY_SHARES = frozenset(("categorical_cross_entropy", "binary_cross_entropy", "bce_with_logits", "cross_entropy"))
"""Losses over rows of shares, and over two classes."""
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


def examples_left_out(index: Index) -> Iterator[Diagnosis]:
    """Weights of examples, as `fit` was handed them, that are 0 for every example of half of the classes or more."""
    for step in index.steps:
        kinds = {op.kind for op in step.loss_ops()}
        for event in step.events("batch") if kinds & (BY_IDS | BY_SHARES) else ():
            classes, without = (event.attributes.get(key) for key in ("classes", "weightless"))
            if isinstance(classes, int) and isinstance(without, int) and without >= HALF * classes and event.targets:
                yield of_examples(index, step, event, (without, classes))
                return


def of_examples(index: Index, step: StepIndex, event: Event, share: tuple[int, int]) -> Diagnosis:
    """What is said, where the weights come from."""
    weights, site = step.value(event.targets[-1]), making_site(index, step, event.targets[-1])
    examples = event.attributes.get("examples")
    whole = ", and all of them are whole numbers, as a division that is rounded makes them" if event.attributes.get("whole") else ""
    return Diagnosis(
        rule="WG108",
        name="few-labels-used",
        severity="warning",
        confidence="proved",
        message=f"`{weights.shown}` gives every example of {share[0]} of {share[1]} classes the weight 0, so that their labels do not count",
        site=site or event.site,
        label="the weights come from here" if site else "these weights",
        related=places((event.site if site else None, "the examples are weighed with them here")),
        evidence=(
            Evidence(
                f"{plural(examples if isinstance(examples, int) else 0, 'example')} of what was handed over have the weight 0{whole}",
                "zeros",
                share[0] / share[1],
            ),
        ),
        help="divide without rounding (`/`, in floating point), and print the weights: each class that is to be learnt needs one above 0",
        facts=frozenset({Fact("odd-input", weights.name)}),
        explains=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(weights.shown,),
    )


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
