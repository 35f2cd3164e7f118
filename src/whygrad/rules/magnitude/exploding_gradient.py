"""WG508: the gradient grows by orders of magnitude towards the input."""

from collections.abc import Iterator
from dataclasses import replace

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.changes import backward_site
from whygrad.flow.courses import constant_guesses, course_of, even_guesses, fails, is_whole
from whygrad.flow.guesses import spread_guess
from whygrad.flow.makers import edited_at
from whygrad.ir import Course
from whygrad.rules import rule
from whygrad.rules.magnitude.depths import LAYERS, Depth, depth
from whygrad.rules.magnitude.gains import Gain, gain
from whygrad.rules.magnitude.scales import course_told
from whygrad.rules.magnitude.swollen import swollen
from whygrad.rules.phrases import figure, places

DECADES = 5.0
"""Powers of ten from the last weight to the first. Healthy networks of the corpus stay within two."""

GROWTH = 1e3
"""How many times as large activations must be behind the last weight as before the first. Healthy networks of the corpus stay within a hundred."""
BEYOND = 100.0
"""How many times what a constant guess costs the first loss must be: at an ordinary start it is about that much."""


@rule("WG508", "exploding-gradient", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The gradient grows by five orders of magnitude and more from the last layer to the first.

    ## What it finds
    Networks of four weights or more in a row in which the gradient of the first, for the weight's own size, is more than a hundred thousand
    times the last one's, in every recorded step: weights initialised far too large, deep recurrences without clipping.

    Also networks of four weights or a recurrence in which the activations are a thousand times as large behind the last weight as before the
    first, whose first loss is a hundred times what a constant guess costs, and whose run then fails. A gradient that goes back through the
    same weights grows as they do. And a function of the loss, such as its exponential, that makes it a million times as large, where the update of the first step puts an end to all numbers.

    ## Why it matters
    One rate can't suit both ends: the first layers are thrown about while the last one hardly moves, and soon something overflows.

    ## When it is fine
    A factor of a hundred is common. Where the gradient is clipped before the update, nothing is said.

    ## How sure
    Measured on every recorded step, and by the loss over the whole run where the activations tell.

    ## References
    Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks"; `whygrad explain WG411` (the loss runs away).
    """
    for steps in index.kinds.values():
        depths = [depth(step) for step in steps]
        found = [one for one in depths if one is not None and -one.decades >= DECADES]
        clipped = any(True for step in steps for _ in step.events("clip"))
        if found and len(found) == len(depths) and not clipped:
            yield diagnosis(steps[-1], found[-1])
        elif (grown := gain(steps[0])) is not None and out_of_hand(index, steps[0], grown):
            found_at = forward(steps[0], grown, course_of(index, steps[0]), guessed(index, steps[0]))
            yield replace(found_at, explains=found_at.explains | later(index, steps[0]))
        else:
            yield from swollen(index, later(index, steps[0]), steps[0])


def out_of_hand(index: Index, step: StepIndex, grown: Gain) -> bool:
    """The activations grow far beyond what the loss can use, and the run does not recover from it."""
    course = course_of(index, step)
    if not (grown.recurrent or grown.weights >= LAYERS) or not grown.growth >= GROWTH or course is None or course.start is None:
        return False
    guess = guessed(index, step)
    return guess is not None and course.start >= BEYOND * guess and fails(index, step) is not None


def later(index: Index, first: StepIndex) -> frozenset[Fact]:
    """What overflows in the steps after the first, in which it grew: the update that such a gradient makes puts an end to all numbers, and with them the step may become one of another kind."""
    place = backward_site(first)
    alike = (
        s
        for s in index.steps
        if s.step.index > first.step.index and (s.step.kind == first.step.kind or (place and backward_site(s) == place))
    )
    return frozenset(Fact("non-finite", name) for step in alike for op in step.graph.ops for name in op.outputs)


def guessed(index: Index, step: StepIndex) -> float | None:
    """What a constant guess costs at most."""
    averaged = (spread_guess(index.kinds[step.step.kind], op, reductions=("mean", "none")) for op in step.loss_ops() if is_whole(step, op))
    known = (guess for guess in averaged if guess is not None)
    return max((*even_guesses(step), *constant_guesses(index, step), *known), default=None)


def forward(step: StepIndex, grown: Gain, course: Course | None, guess: float | None) -> Diagnosis:
    """What is said where the activations tell, at the layer in which they grow most."""
    op, kind = grown.steepest, str(step.step.kind)
    called = step.value(op.output).called or op.module
    weight = next((p for p in step.step.parameters if p.value in op.inputs), None)
    turns = sum(1 for other in step.graph.ops if weight is not None and weight.value in other.inputs)
    where = f"{figure(grown.factor)} times in {f'`{called}`' if called else 'this layer'} alone"
    if weight is not None and turns > 1:
        where = f"`{weight.name}` is applied {turns} times in a row, and they grow {figure(grown.growth)} times"
    return Diagnosis(
        rule="WG508",
        name="exploding-gradient",
        severity="warning",
        confidence="measured",
        message=f"the activations explode through the network, and the gradient with them: {where}",
        site=(weight.site if weight is not None and turns > 1 else None) or edited_at(step, op),
        label="this weight begins too large to be applied so often" if turns > 1 else "they grow most here",
        related=places((edited_at(step, op), "they grow here")) if turns > 1 else (),
        evidence=(
            Evidence(
                f"root mean square {figure(grown.before)} before the first weight, {figure(grown.after)} behind the last",
                "growth",
                grown.growth,
            ),
            *course_told(course),
            Evidence(f"a constant guess costs {figure(guess)}", "guess", guess),
        ),
        help="start with the layer's own initialisation, and in a recurrence with its own activation (tanh); or normalise between the layers",
        facts=frozenset({Fact("explodes", kind)}),
        # beside numbers of such a size a label is rounded away, and the square of the gradient has no room
        explains=frozenset(
            {
                *(Fact(what, kind) for what in ("diverges", "stands", "insensitive", "overflow")),
                *(Fact("non-finite", name) for name in step.losses),
                *(Fact("unmoved", p.name) for p in step.step.parameters),
            }
        ),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(p.name for p in step.step.parameters if p.value in op.inputs)[:1],
    )


def diagnosis(step: StepIndex, found: Depth) -> Diagnosis:
    """What is said, where the first layer is made."""
    first, last = found.parameters[0], found.parameters[-1]
    return Diagnosis(
        rule="WG508",
        name="exploding-gradient",
        severity="warning",
        confidence="measured",
        message=f"the gradient explodes towards the input: at `{first.name}` it is 1e{-found.decades:.0f} times that at `{last.name}`",
        site=first.site,
        label="the gradient is largest here",
        evidence=(
            Evidence(
                f"gradient norm {figure(first.gradient_norm)} at `{first.name}`, {figure(last.gradient_norm)} at `{last.name}`, with {len(found.parameters)} weights in a row",
                "decades",
                -found.decades,
            ),
        ),
        help="clip the gradient's norm, use the layers' own initialisation, or a normalisation between the layers",
        facts=frozenset({Fact("explodes", str(step.step.kind))}),
        explains=frozenset({Fact("diverges", str(step.step.kind)), *(Fact("non-finite", name) for name in step.losses)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(first.name,),
    )
