"""WG510: a sigmoid or tanh at its flat end for almost all entries, a clamp for all of them."""

from collections.abc import Iterator
from math import exp, hypot, isfinite

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import fails
from whygrad.flow.makers import edited_at
from whygrad.flow.standing import motionless
from whygrad.idioms import spelled
from whygrad.ir import Op, Parameter, Statistics
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, figure, finite, listed, percent, places

STEEPEST = {"sigmoid": 0.25, "tanh": 1.0}
LEFT_FLAT = ("silu", "gelu", "softplus", "elu")
"""Activations that are flat where they read numbers far below zero."""
LEFT = -10.0
"""From here on down their slope is at most |1 + x| exp(x), which is 0.0004. Of 86 such activations in 25 sound programs none reads numbers whose largest is below -0.32."""
_CLAMPS = ("clamp", "hardtanh", "maximum", "minimum")
FLAT = 0.01
"""Mean slope, as a share of the steepest, below which an activation is flat: fresh layers have 0.5 and more."""
STUNTED = 0.1
"""The same in a run that began so and ends no better than a guess: several such layers in a row leave little, and weights large enough to make up for that jump about."""
WIDE = 3.0
"""Times the size that keeps what goes through a layer from which its weights are spoken of; the usual initialisations are at 0.6 to 1.4."""


@rule("WG510", "saturated", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A sigmoid or tanh inside the model is at its flat end for almost every entry, so that next to no gradient passes; or a clamp is for all of them.

    ## What it finds
    A sigmoid or tanh between two layers whose mean slope over the batch is below a hundredth of its steepest, in every recorded step:
    inputs that were never scaled, weights initialised far too large. A SiLU, GELU, softplus or ELU that reads nothing above -10. Below a tenth, from the first step on, in a run that ends no better than a constant guess. A clamp all of whose input lies beyond one of its limits, where for that all
    gradients of a run are exactly 0.

    ## Why it matters
    The gradient of everything before it is multiplied by that slope. A hundred times less gradient needs a hundred times the updates.

    ## When it is fine
    A last sigmoid may be sure of itself. Gates that are meant to be open or shut, as in recurrent layers, are inside of one op and not
    looked at, and neither are values that no layer reads further on.

    ## How sure
    Measured on every recorded step, from mean and deviation of the output: the slope of a sigmoid is y (1 - y), of tanh 1 - y².

    ## References
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks".
    """
    for steps in index.kinds.values():
        stunted = steps[0].step.index == 0 and fails(index, steps[-1]) == "stands"
        found = [{place(op): (op, slope) for op, slope in flat(step, STUNTED if stunted else FLAT)} for step in steps]
        always = [key for key in found[0] if all(key in other for other in found)] if found else []
        yield from distinct(diagnosis(steps[-1], *found[-1][key]) for key in always)
        still = motionless(index, steps)
        clamps = [clamped(step) for step in steps] if still else []
        if clamps and all(clamps):
            yield clamp_diagnosis(steps[-1], clamps[-1][0], still)


def place(op: Op) -> object:
    """What tells two activations apart over the steps."""
    return (op.module, op.site.file, op.site.line, op.site.column) if op.site else (op.module, op.native)


def flat(step: StepIndex, below: float = FLAT) -> Iterator[tuple[Op, float]]:
    """Activations between layers whose mean slope is next to nothing, as a share of the steepest."""
    inner: frozenset[str] | None = None
    for op in step.of(*STEEPEST, *LEFT_FLAT, "rnn"):
        steepest, figures = STEEPEST.get(op.kind, 1.0), step.value(op.output).statistics
        if figures is None or not any(op.carried(at) for at in range(len(op.inputs))):
            continue
        slope = _slope(step, op, figures)
        if slope is None or not slope < below * steepest:
            continue
        inner = read_by_layers(step) if inner is None else inner
        if not inner.isdisjoint(op.outputs) and not step.shapes_loss.isdisjoint(op.outputs):
            yield op, slope / steepest


def clamped(step: StepIndex) -> list[Op]:
    """Clamps on the way to the loss that give one number for all that they read, the first one first."""
    return [
        op
        for op in step.of(*_CLAMPS)
        if not step.gets_gradient.isdisjoint(op.inputs)
        and not step.depends_on_parameters.isdisjoint(op.inputs)
        and (given := step.value(op.output).statistics) is not None
        and not given.sampled
        and given.finite == 1.0
        and given.minimum is not None
        and given.minimum == given.maximum
        and not handed_on(step, op)
    ]


def handed_on(step: StepIndex, op: Op) -> bool:
    """It gives what it reads, one number for every entry: nothing lies beyond its limits."""
    read, made = step.value(op.inputs[0]).statistics, step.value(op.output).statistics
    return read is not None and made is not None and read.minimum == read.maximum == made.minimum


def clamp_diagnosis(step: StepIndex, op: Op, still: tuple[Parameter, ...]) -> Diagnosis:
    """What is said of a clamp."""
    given, made = step.value(op.inputs[0]).statistics, step.value(op.output).statistics
    limit = figure(made.minimum) if made is not None else ""
    reach = (
        f"it reads values from {figure(given.minimum)} to {figure(given.maximum)}" if given is not None else "all that it reads lies beyond"
    )
    names = [p.name for p in still]
    return Diagnosis(
        rule="WG510",
        name="saturated",
        severity="warning",
        confidence="measured",
        message=f"`{spelled(op)}` gives {limit} for every entry, and no gradient passes back through it",
        site=edited_at(step, op),
        related=places((op.site if op.made else None, "it is applied here"), (still[0].site, f"`{names[0]}` begins here")),
        label="all that it reads lies beyond its limit",
        evidence=(
            Evidence(f"{reach}, and gives {limit} for all {given.count if given is not None else 0} of them", "slope", 0),
            Evidence(
                f"the gradient of {listed(names)} is exactly 0 in every recorded step, and none moved over the run", "gradient_norm", 0
            ),
        ),
        help="start where the output lies between the limits, or use a function that is flat nowhere (a sigmoid, a softplus) while training",
        facts=frozenset({Fact("flat", op.output)}),
        explains=frozenset(
            {Fact(what, str(step.step.kind)) for what in ("stands", "vanishes", "insensitive")}
            | {Fact(what, name) for what in ("no-gradient", "unmoved") for name in names}
        ),
        kind=step.step.kind,
        step=step.step.index,
        names=(step.value(op.inputs[0]).shown,),
    )


def mean_slope(kind: str, figures: Statistics) -> float | None:
    """Mean slope over the entries; None where it is unknown."""
    if figures.mean is None or figures.std is None or not finite(figures.mean) or not finite(figures.std):
        return None
    square = figures.std**2 + figures.mean**2
    return max(0.0, figures.mean - square if kind == "sigmoid" else 1 - square)


def _slope(step: StepIndex, op: Op, figures: Statistics) -> float | None:
    """The mean slope of an activation, or of a recurrent layer that puts out one end of its tanh everywhere."""
    if op.kind == "rnn":
        ends = not figures.sampled and figures.finite == 1.0 and figures.minimum == figures.maximum
        return 0.0 if ends and abs(figures.minimum or 0.0) == 1.0 else None
    return mean_slope(op.kind, figures) if op.kind in STEEPEST else left_slope(step, op)


def left_slope(step: StepIndex, op: Op) -> float | None:
    """The steepest slope of any entry where the largest is far below zero; None elsewhere, and for exact zeros, which are WG509's."""
    given, made = step.value(op.inputs[0]).statistics, step.value(op.output).statistics
    largest = given.maximum if given is not None and given.finite == 1.0 and not given.sampled else None
    zero = made is not None and made.zeros == 1.0
    return (1 - largest) * exp(largest) if largest is not None and largest < LEFT and not zero else None


def read_by_layers(step: StepIndex) -> frozenset[str]:
    """Values that a layer with weights of its own reads further on."""
    weights = {p.value for p in step.step.parameters if p.trainable}
    found: set[str] = set()
    for op in reversed(step.graph.ops):
        if not weights.isdisjoint(op.inputs) or not found.isdisjoint(op.outputs):
            found.update(op.inputs)
    return frozenset(found)


def wide(step: StepIndex, name: str) -> Iterator[Evidence]:
    """The weights of the layer that an activation reads, where they are much larger than what keeps the size of what goes through."""
    made = step.producer.get(name)
    weights = next((p for p in step.step.parameters if made is not None and p.value in made[1].inputs[1:]), None)
    if made is None or weights is None or made[1].kind not in ("linear", "matmul"):
        return
    figures, inputs = step.value(weights.value).statistics, (step.value(made[1].inputs[0]).shape or (0,))[-1]
    if figures is None or figures.mean is None or figures.std is None or not inputs:
        return
    size, due = hypot(figures.mean, figures.std), inputs**-0.5
    if isfinite(size) and size >= WIDE * due:
        told = f"the root mean square of `{weights.name}` is {figure(size)}; with {inputs} inputs {figure(due)} keeps the size of what goes through"
        yield Evidence(told, "weights", size)


def diagnosis(step: StepIndex, op: Op, slope: float) -> Diagnosis:
    """What is said, at the activation."""
    value = step.value(op.inputs[0])
    figures = value.statistics
    reach = (
        ""
        if figures is None or figures.minimum is None
        else f"; it reads values from {figure(figures.minimum)} to {figure(figures.maximum)}"
    )
    return Diagnosis(
        rule="WG510",
        name="saturated",
        severity="warning",
        confidence="measured",
        message=f"`{op.kind}` is at its flat end for almost every entry: {percent(slope, 2)} of the gradient passes",
        site=edited_at(step, op),
        related=places((op.site if op.made else None, "it is applied here")),
        label="almost flat for these inputs",
        evidence=(
            Evidence(f"its mean slope over the batch is {percent(slope, 2)} of its steepest{reach}", "slope", slope),
            *wide(step, op.inputs[0]),
        ),
        help="standardise what goes in, or normalise before it (`LayerNorm`, `BatchNorm`), or start with smaller weights",
        facts=frozenset({Fact("flat", op.output)}),
        explains=frozenset({Fact("stands", str(step.step.kind)), Fact("vanishes", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(op.module or value.shown,),
    )
