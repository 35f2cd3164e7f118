"""WG509: units that are zero on the whole batch."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import edited_at
from whygrad.idioms import idiom
from whygrad.ir import Op
from whygrad.rules import rule
from whygrad.rules.loss.calls import bounds
from whygrad.rules.loss.unreachable_target import UNLIMITED, Beyond, comparisons, outside
from whygrad.rules.magnitude.died import died
from whygrad.rules.phrases import distinct, percent, places
from whygrad.rules.remedies import without_activation

DEAD = 0.9
"""Share of a layer's units that must be zero for every example. Freshly initialised ReLU layers have below 0.3 from 32 examples on."""
EXAMPLES = 16
"""Rows that a batch must have: with few examples many units are zero by chance."""
_ZERO = {True: "zero for the whole batch", False: "mostly zero for the whole batch"}
_CALLED = {"relu": "ReLU", "hardtanh": "ReLU", "leaky_relu": "ReLU"}
KILLED = "lower the learning rate, ten times at first: the units died of the updates"
FAR_BELOW = "what goes in is far below zero for every example: begin the biases at 0, and look at the scale of the inputs and weights in front of it"
"""What to do where a smooth activation, as GELU is, gives exact zeros."""
UNITS = 4
"""Units that the layer must have."""


@rule("WG509", "dead-units", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Almost all units of a ReLU (or GELU, or SiLU) layer are zero for every example, so that no gradient passes through them.

    ## What it finds
    A ReLU nine tenths of whose units or more are zero on the whole batch in the last recorded step, after a rate that was too large, a
    bias far below zero, or inputs that were never centred.

    ## Why it matters
    Where a ReLU is zero its slope is zero: the unit gets no gradient and stays as it is. A layer that is dead whole cuts off everything
    before it. A last ReLU that starts like that, as a single output may by chance, keeps the whole model where it is.

    ## When it is fine
    Sparse layers have many zeros, and different ones for different examples: a unit counts only if it is zero for all. A last ReLU on
    non-negative targets that are mostly zero, as long as any parameter has a gradient, small batches, and activations that no loss depends on are left alone.

    ## How sure
    Measured on the last recorded step of each kind. Where the units were alive in the first step and an update moves a weight in front of them by a tenth of its size or more,
    the place is that of the rate. Steps are recorded again when the loss stands still or the gradient becomes zero.

    ## References
    Lu et al., "Dying ReLU and Initialization"; `whygrad explain WG411` (the rate), `WG217` (a ReLU on scores).
    """
    yield from distinct(diagnosis(index, steps[-1], op, dead) for steps in index.kinds.values() for op, dead in dying(steps[-1]))
    yield from distinct(about_the_last(index, found) for found in silenced(index))


def dying(step: StepIndex) -> Iterator[tuple[Op, float]]:
    """ReLUs on the way to the loss that are dead for the most part, and what share of their units is."""
    shares = {name: value.statistics.dead for name, value in step.values.items() if value.statistics is not None}
    dead_ones = {name: dead for name, dead in shares.items() if dead is not None and dead >= DEAD and name in step.shapes_loss}
    last, behind = outermost(step) if dead_ones else frozenset[str](), frozenset[str]()
    for op in step.graph.ops if dead_ones else ():
        value, dead = step.value(op.output), dead_ones.get(op.output)
        # what reads zeros alone gives one number too
        if dead is None or op.output in last or op.output in behind:
            continue
        shape = value.shape or (0,)
        many = shape[0] >= EXAMPLES or (dead == 1.0 and entries_of_one(shape) >= EXAMPLES)
        if many and shape[-1] >= UNITS and op.output in step.depends_on_parameters:
            behind |= step.downstream(op.outputs) if dead == 1.0 else frozenset()
            yield op, dead


def entries_of_one(shape: tuple[int, ...]) -> int:
    """Entries of a unit in a batch of several examples, at least: of a convolution they are the positions, wherever its channels stand."""
    return prod(shape) // max(shape[1:]) if len(shape) > 2 and shape[0] > 1 else 0  # noqa: PLR2004 - rows and units


def silenced(index: Index) -> Iterator[Beyond]:
    """Last ReLUs that are zero for every example in all recorded steps of a kind, where targets above zero would have them give more, and no parameter gets a gradient."""
    kinds = [steps for steps in index.kinds.values() if all(without_gradient(step) for step in steps)]
    ends = {id(steps[-1]) for steps in kinds if any(op.kind == "relu" and is_silent(steps[-1], op) for op in steps[-1].graph.ops)}
    for found in comparisons(index) if ends else ():
        high = bounds(found.target)
        wanted = high is not None and high[1] > 0 and not outside(found) > 0
        if id(found.step) in ends and wanted and found.activation.kind == "relu" and is_silent(found.step, found.activation):
            yield found


def about_the_last(index: Index, found: Beyond) -> Diagnosis:
    """The same, of an output: a gentle slope would be one for values that no target has."""
    return replace(
        diagnosis(index, found.step, found.activation, 1.0),
        help="end the model without this `relu`, or in a softplus, which has a slope everywhere",
        remedy=without_activation(index, found.step, found.activation, changes=UNLIMITED),
    )


def without_gradient(step: StepIndex) -> bool:
    """All that was reached has a gradient, and each is exactly zero."""
    reached = [p for p in step.step.parameters if p.trainable and p.reached]
    return bool(reached) and all(p.gradient == "zero" for p in reached)


def is_silent(step: StepIndex, op: Op) -> bool:
    """What this op gives is zero for every example of a batch that is not small."""
    value = step.value(op.output)
    return value.statistics is not None and value.statistics.dead == 1.0 and bool(value.shape) and (value.shape or (0,))[0] >= EXAMPLES


def outermost(step: StepIndex) -> frozenset[str]:
    """Values that no further layer with parameters reads: what a last ReLU puts out is WG217's or WG216's."""
    weights = {p.value for p in step.step.parameters}
    read: set[str] = set()
    for op in reversed(step.graph.ops):
        if not weights.isdisjoint(op.inputs) or not read.isdisjoint(op.outputs):
            read.update(op.inputs)
    return frozenset(step.values) - read


def _told_of(starved: list[str]) -> Iterator[Evidence]:
    """How many parameters get nothing."""
    if starved:
        yield Evidence(f"{len(starved)} parameters before it have a gradient of exactly 0", "parameters", len(starved))


def diagnosis(index: Index, step: StepIndex, op: Op, dead: float) -> Diagnosis:
    """What is said, at the activation."""
    value = step.value(op.output)
    behind = step.upstream(op.output)
    starved = [p.name for p in step.step.parameters if p.value in behind and p.gradient == "zero"]
    whole, killed = dead >= 1.0, died(index, step, op)
    place, made = edited_at(step, op), killed.site if killed is not None else None
    return Diagnosis(
        rule="WG509",
        name="dead-units",
        severity="warning",
        confidence="measured",
        message=f"{'all' if whole else f'{percent(dead)} of the'} units of {f'`{op.module}`' if op.module else f'this {_CALLED.get(op.kind, op.kind)}'} are zero for every example of the batch: no gradient passes",
        site=made or place,
        related=places((place if made else None, _ZERO[whole]), (op.site if op.made else None, "it is applied here")),
        label="the rate at which they died is set here" if made else _ZERO[whole],
        evidence=(
            Evidence(
                f"{percent(dead, 1)} of the units of {value.type} are 0 on all {value.shape[0] if value.shape else 0} examples of step {step.step.index}",
                "dead",
                dead,
            ),
            *(killed.evidence if killed is not None else ()),
            *_told_of(starved),
        ),
        help=KILLED if made else idiom(index, "gentle activation") if op.kind in _CALLED else FAR_BELOW,
        facts=frozenset(Fact("dead", name) for name in starved) or frozenset({Fact("dead", op.output)}),
        explains=frozenset(
            {
                Fact("stands", str(step.step.kind)),
                *(Fact("unmoved", name) for name in starved),
                *(Fact("no-gradient", name) for name in starved),
            }
        ),
        kind=step.step.kind,
        step=step.step.index,
        names=(op.module or value.shown,),
        remedy=killed.remedy(index) if killed is not None and made else None,
    )
