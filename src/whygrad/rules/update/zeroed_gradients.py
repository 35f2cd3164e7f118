"""The part of WG418 about parameters that are held fast by zeros in the place of their gradients, which weight decay and momentum do not mind."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index, StepIndex
from whygrad.ir import Optimizer, Parameter
from whygrad.rules.phrases import figure, finite, listed, percent, places, plural

STEPS = 2
"""Recorded steps of a kind that must agree: one may be the first of a warm-up."""
FAR = 0.1
"""Share of the parameter's norm that the run's updates must come to: weight decay of 0.01 at a rate of 0.001 takes 1 % in a thousand steps, which nobody notices."""


def zeroed(index: Index) -> Iterator[Diagnosis]:
    """One diagnosis for each kind of step whose gradients are set to zero in part, where that does not hold the parameters fast."""
    for steps in index.kinds.values():
        known = {optimizer.name: optimizer for optimizer in index.record.optimizers}
        stepped = next((event for event in steps[-1].events("optimizer_step")), None)
        optimizer = known.get(stepped.targets[0]) if stepped is not None and stepped.targets else None
        if optimizer is None or len(steps) < STEPS or not all(_trains(step) for step in steps):
            continue
        always = set.intersection(*({p.name for p in step.step.parameters if _held(p)} for step in steps))
        moved = tuple(p for p in steps[-1].step.parameters if p.name in always and _far(p, optimizer))
        if moved:
            yield _about(steps[-1], optimizer, moved)


def _held(parameter: Parameter) -> bool:
    """The loss moves it, and its gradient is nothing but zeros when the update begins."""
    norm = parameter.gradient_norm
    felt = parameter.trainable and parameter.gradient == "finite" and norm is not None and finite(norm) and norm > 0
    return felt and parameter.gradient_at_update == "zero"


def _far(parameter: Parameter, optimizer: Optimizer) -> bool:
    """As it moves in the recorded step, it goes far in the run."""
    moved, norm = parameter.update_norm, parameter.norm
    if moved is None or norm is None or not finite(moved) or not finite(norm) or norm <= 0:
        return False
    return moved / norm * optimizer.steps >= FAR


def _trains(step: StepIndex) -> bool:
    """Other parameters are updated by their gradients."""
    return any(p.gradient_at_update == "finite" for p in step.step.parameters)


def _about(step: StepIndex, optimizer: Optimizer, moved: tuple[Parameter, ...]) -> Diagnosis:
    first, many = moved[0], len(moved) > 1
    decay = max((d for g in optimizer.groups for d in (g.settings.get("weight_decay"),) if isinstance(d, int | float)), default=0.0)
    cause = f"weight decay of {figure(decay)} goes on" if decay else "the momentum of earlier gradients goes on"
    asked = next((event.site for event in step.events("backward") if event.site), None)
    share = (first.update_norm or 0.0) / (first.norm or 1.0)
    return Diagnosis(
        "WG418",
        "update-without-gradient",
        "warning",
        "measured",
        f"{listed([p.name for p in moved])} {'move' if many else 'moves'} although {'their gradients are' if many else 'its gradient is'} made zero before each update: {cause}",
        site=optimizer.site,
        label="moves parameters whose gradient is zero, too",
        related=places((asked, "their gradients are taken here, and made zero afterwards" if many else "its gradient is taken here, and made zero afterwards")),
        evidence=(
            Evidence(
                f"`{first.name}` in step {step.step.index}: gradient norm {figure(first.gradient_norm)} after the backward, exactly zero when the update began, and moved by {percent(share, 1)} of its norm",
                "update_norm",
                first.update_norm,
            ),
            Evidence(f"{plural(optimizer.steps, 'update')} like this one take it far from where it was", "updates", optimizer.steps),
        ),
        help="give the optimizer only what is to be trained: leave these parameters out of what it is handed, or freeze them; zeros are a gradient like any other",
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(p.name for p in moved),
    )  # fmt: skip
