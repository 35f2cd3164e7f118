"""WG508: the gradient grows by orders of magnitude towards the input."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.rules import rule
from whygrad.rules.magnitude.depths import Depth, depth
from whygrad.rules.phrases import figure

DECADES = 5.0
"""Powers of ten from the last weight to the first. Healthy networks of the corpus stay within two."""


@rule("WG508", "exploding-gradient", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The gradient grows by five orders of magnitude and more from the last layer to the first.

    ## What it finds
    Networks of four weights or more in a row in which the gradient of the first, for the weight's own size, is more than a hundred thousand
    times the last one's, in every recorded step: weights initialised far too large, deep recurrences without clipping.

    ## Why it matters
    One rate can't suit both ends: the first layers are thrown about while the last one hardly moves, and soon something overflows.

    ## When it is fine
    A factor of a hundred is common. Where the gradient is clipped before the update, nothing is said.

    ## How sure
    Measured on every recorded step.

    ## References
    Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks"; `whygrad explain WG411` (the loss runs away).
    """
    for steps in index.kinds.values():
        depths = [depth(step) for step in steps]
        found = [one for one in depths if one is not None and -one.decades >= DECADES]
        clipped = any(True for step in steps for _ in step.events("clip"))
        if found and len(found) == len(depths) and not clipped:
            yield diagnosis(steps[-1], found[-1])


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
