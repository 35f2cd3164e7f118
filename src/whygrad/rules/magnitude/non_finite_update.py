"""WG504: a finite gradient, and parameters that are not finite after the update."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.births import Origin, origin
from whygrad.ir import Event, Optimizer, Parameter, Site
from whygrad.rules import rule
from whygrad.rules.magnitude.phrases import consequences
from whygrad.rules.phrases import figure, finite, listed, places


@dataclass(frozen=True, slots=True)
class Spoilt:
    """Parameters that an update left without finite numbers."""

    step: StepIndex
    parameters: tuple[Parameter, ...]
    at: int
    """Number of the step."""


@rule("WG504", "non-finite-update", "error", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The gradient is finite, and the update makes NaN or infinity of the parameters.

    ## What it finds
    Updates that leave parameters which are not finite although the gradient was: a learning rate that is NaN or far too large, weight
    decay of the wrong sign, a division in a hand-written update, an optimizer's state that has overflowed. Where the program never shows its loss, and the steps
    that spoilt them were not recorded, it is told from what the parameters hold at the end.

    ## Why it matters
    All later losses are NaN, and the loss of this step does not show why.

    ## When it is fine
    Never.

    ## How sure
    Measured: the parameters before and after the update, and the gradient that it found, were looked at.

    ## References
    `whygrad explain WG408` where Adam's second moment has overflowed; `WG411` where the loss had been growing before.
    """
    found = spoilt(index) or later(index)
    if found is not None:
        yield diagnosis(index, found)
    elif origin(index) is None and all(course.non_finite is None for course in index.record.courses):
        yield from unwatched(index)


def spoilt(index: Index) -> Spoilt | None:
    """In a recorded step: what the update changed is not finite, though parameter and gradient were."""
    for step in index.steps:
        # timid: a norm over all gradients makes NaN of every update where a single one of them is no number
        if any(p.gradient == "non-finite" for p in step.step.parameters):
            continue
        bad = tuple(
            p
            for p in step.step.parameters
            if p.update_norm is not None
            and not finite(p.update_norm)
            and p.gradient in ("finite", "zero")
            and (p.norm is None or finite(p.norm))
        )
        if bad:
            return Spoilt(step, bad, step.step.index)
    return None


def later(index: Index) -> Spoilt | None:
    """In a step that was not recorded, as far as the replay on its data can tell."""
    found = origin(index)
    if found is None or found.birth.stage != "update" or found.value is None:
        return None
    bad = tuple(p for p in found.step.step.parameters if p.value == found.value.name)
    return Spoilt(found.step, bad, found.birth.step - 1) if bad else None


_LABELS = {
    "zero": "divides by the number 0",
    "rated": "the rate that is set here is no number",
    "": "the parameters are finite before and not after",
}
_HELP = {
    "zero": "see why the number is 0; where it corrects the first averages, `1 - beta ** t`, count the steps from 1 on",
    "own": "see what it divides by: a root or a count that is 0 wants a small number added, `/ (root + 1e-8)`",
    "rated": "see what the schedule gives for the first updates: it may divide by a count that is 0, or by the root of one",
    "": "print the learning rate and the optimizer's state at this step; lower the rate, or standardise inputs and targets",
}
"""By what made the numbers: a division by 0, an optimizer of the program's own, a rate."""


def diagnosis(index: Index, found: Spoilt) -> Diagnosis:
    """What is said, at the update."""
    update = next((e for e in found.step.step.events if e.kind in ("optimizer_step", "update")), None)
    optimizer = next((o for o in index.record.optimizers if o.name == found.parameters[0].optimizer), None)
    own = optimizer.writes_site if optimizer else None
    zero = divided(found.step) if found.at == found.step.step.index else None
    rated = rate_from(found, optimizer) if optimizer and not (own or zero) else None
    names = [parameter.name for parameter in found.parameters]
    norm = found.parameters[0].gradient_norm
    size = f" (norm {figure(norm)})" if norm is not None and finite(norm) and found.at == found.step.step.index else ""
    return Diagnosis(
        rule="WG504",
        name="non-finite-update",
        severity="error",
        confidence="measured",
        message=f"the update makes NaN or infinity of {listed(names)} though the gradient is finite",
        site=zero or own or rated or _site(update) or (optimizer.site if optimizer else None),
        label=_LABELS["zero" if zero else "rated" if rated else ""],
        related=places(
            (
                _site(update) if own or zero or rated else None,
                "the update is asked for here" if own else "the parameters are not finite after this",
            ),
            (optimizer.site if optimizer and optimizer.site != rated else None, f"`{optimizer.name if optimizer else ''}` is made here"),
        ),
        evidence=(
            Evidence(
                f"at step {found.at} the gradient of `{names[0]}` was finite{size}, and the parameter was not after the update",
                "step",
                found.at,
            ),
            *_rate(found, optimizer.last_rate if optimizer else None),
        ),
        help=_HELP["zero" if zero else "own" if own else "rated" if rated else ""],
        facts=frozenset(Fact("non-finite", name) for name in names),
        explains=consequences(index, Origin(found.step, found.step.step.births[0]))
        if found.step.step.births
        else frozenset(Fact("non-finite", p.value) for p in found.parameters),
        kind=found.step.step.kind,
        step=found.at,
        names=tuple(names[:1]),
    )


def divided(step: StepIndex) -> Site | None:
    """Where an update that is written out divides by a plain number that is 0."""
    asked = next((event.at for event in step.events("backward")), None)
    behind = step.graph.ops[asked:] if asked is not None else ()
    return next((op.site for op in behind if op.kind == "div" and op.attributes.get("by") == 0 and op.site is not None), None)


def unwatched(index: Index) -> Iterator[Diagnosis]:
    """Parameters that are no numbers at the end, and were in every recorded step; no loss was seen that says since when."""
    last: dict[str, tuple[StepIndex, Parameter]] = {p.name: (step, p) for step in index.steps for p in step.step.parameters}
    bad = [(step, p) for name, (step, p) in last.items() if name in index.record.endings and not index.record.endings[name].finite]
    if not bad or not all(finite(p.norm) and finite(p.update_norm or 0.0) and p.gradient != "non-finite" for _, p in bad):
        return
    step = bad[0][0]
    update = next((e for e in step.step.events if e.kind in ("optimizer_step", "update")), None)
    names = [p.name for _, p in bad]
    losses = [figure(loss) for one in index.steps if (loss := one.step.measures.loss) is not None and finite(loss)]
    seen = index.record.outcome.steps_seen
    yield Diagnosis(
        rule="WG504",
        name="non-finite-update",
        severity="error",
        confidence="measured",
        message=f"{listed(names)} hold{'s' * (len(names) == 1)} NaN or infinity at the end of the run, and held numbers at the beginning",
        site=_site(update),
        label="parameters are updated here",
        evidence=(
            Evidence(
                f"finite in {len(index.steps)} recorded steps of {seen}, not finite at the end: {len(bad)} of {len(last)} parameters",
                "parameters",
                len(bad),
            ),
            *([Evidence(f"the loss of the recorded steps was {', '.join(losses)}")] if losses else []),
        ),
        help="lower the learning rate, ten times at first, or standardise inputs and targets; print the loss to see when it turns",
        facts=frozenset(Fact("non-finite", name) for one in index.steps[:1] for name in one.losses),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(names[:1]),
    )


def _site(update: Event | None) -> Site | None:
    return update.site if update is not None else None


def rate_from(found: Spoilt, optimizer: Optimizer) -> Site | None:
    """Where the rate comes from, if that of this very update is no number."""
    rates = [event.attributes.get("rate") for event in found.step.events("optimizer_step")] if found.at == found.step.step.index else []
    nothing = any(isinstance(rate, float) and isnan(rate) for rate in rates)
    return (optimizer.schedule_site or optimizer.rate_site or optimizer.site) if nothing else None


def _rate(found: Spoilt, last: float | None) -> Iterator[Evidence]:
    rate = next((e.attributes.get("rate") for e in found.step.events("optimizer_step")), last)
    if isinstance(rate, float | int):
        yield Evidence(f"the learning rate was {figure(float(rate))}", "rate", float(rate))
