"""WG419: Adam's epsilon is far above the gradient's scale."""

from collections.abc import Iterator
from math import prod, sqrt

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, fitted, optimizer_of
from whygrad.flow.origins import set_at
from whygrad.ir import Descend, Optimizer, Parameter
from whygrad.rules import rule
from whygrad.rules.magnitude.scales import course_told, fell_told
from whygrad.rules.phrases import distinct, figure, finite, places
from whygrad.rules.remedies import remedy, setting
from whygrad.rules.remedies_of_settings import in_place_of, made_as

USUAL = Descend(epsilon=1e-8)
ABOVE = 10.0
"""How many times the gradient's root mean square epsilon must be: the update is then a tenth of what the rate says, or less."""
MOST = 0.5
"""Share of the parameters for which that must be so."""


@rule("WG419", "optimizer-epsilon", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Adam's epsilon is so far above the gradient's size that it decides the length of the update.

    ## What it finds
    An `eps` of ten times the gradient's root mean square or more, for most parameters, where the usual 1e-8 is measured to make the loss
    fall at least twice as far.

    ## Why it matters
    Adam divides by the root of the second moment plus epsilon. Where epsilon rules, what is left is plain gradient descent at the rate
    divided by epsilon, mostly a tiny one.

    ## When it is fine
    A large epsilon is sometimes chosen to steady reinforcement learning or very deep networks: then a smaller one does not help, and
    nothing is said.

    ## How sure
    Measured: the gradients of a recorded step, and a few updates on copies of the parameters with an epsilon of 1e-8.

    ## References
    Kingma and Ba, "Adam", algorithm 1; Choi et al., "On Empirical Comparisons of Optimizers" (on tuning epsilon).
    """
    yield from distinct(one for step in index.steps if fitted(index, step) for one in of_step(index, step))


def of_step(index: Index, step: StepIndex) -> Iterator[Diagnosis]:
    """Epsilon against the gradients of one step."""
    optimizer = optimizer_of(index, step)
    found = ruled_by_epsilon(step, optimizer) if optimizer is not None else None
    if optimizer is not None and found is not None:
        yield diagnosis(index, step, optimizer, *found)


def ruled_by_epsilon(step: StepIndex, optimizer: Optimizer) -> tuple[float, float] | None:
    """The epsilon, and the size of the gradients in the middle, where it is far above most of them."""
    epsilons = [e for group in optimizer.groups if isinstance(e := group.settings.get("eps"), float | int)]
    scales = [s for p in step.step.parameters if (s := gradient_scale(step, p)) is not None]
    epsilon = max(epsilons, default=0.0)
    if not epsilons or not scales or sum(epsilon >= ABOVE * scale for scale in scales) < MOST * len(scales):
        return None
    return epsilon, sorted(scales)[len(scales) // 2]


def gradient_scale(step: StepIndex, parameter: Parameter) -> float | None:
    """Root mean square of a parameter's gradient; None where it has none."""
    norm, shape = parameter.gradient_norm, step.value(parameter.value).shape
    if parameter.gradient != "finite" or norm is None or not finite(norm) or shape is None:
        return None
    return norm / sqrt(max(1, prod(shape)))


def diagnosis(index: Index, step: StepIndex, optimizer: Optimizer, epsilon: float, scale: float) -> Diagnosis:
    """What is said, where epsilon is set."""
    elsewhere = set_at(index, optimizer, "eps")
    return Diagnosis(
        rule="WG419",
        name="optimizer-epsilon",
        severity="warning",
        confidence="measured",
        message=f"`eps={epsilon:g}` of `{optimizer.name}` is far above the gradients, whose size is {figure(scale)}",
        site=elsewhere or optimizer.site,
        label="epsilon is set here" if elsewhere else "the optimizer is made here",
        related=places((optimizer.site if elsewhere else None, f"`{optimizer.name}` is made here")),
        evidence=(
            Evidence(
                f"epsilon is {figure(epsilon / scale)} times the gradient's root mean square, so that it sets the length of the updates",
                "epsilon",
                epsilon,
            ),
            *fell_told(step, USUAL, "with an epsilon of 1e-8"),
            *course_told(course_of(index, step)),
        ),
        help="leave `eps` at its default, 1e-8",
        facts=frozenset({Fact("odd-epsilon", optimizer.name)}),
        explains=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        names=(optimizer.name,),
        remedy=remedy(
            "leave epsilon at its default",
            in_place_of(elsewhere, epsilon, "1e-8") or setting(optimizer.site, "eps", calls=made_as(optimizer)),
            otherwise=(setting(optimizer.site, "epsilon", calls=made_as(optimizer)),),
            proof=USUAL,
        ),
        test=Test(USUAL, "with an epsilon of 1e-8 the loss falls at least twice as far", required=True),
    )
