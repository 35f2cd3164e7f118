"""Gradients that were added to the parameters as they are, which climbs the loss at a rate of one."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.growth import grown
from whygrad.ir import Event, Parameter, Site
from whygrad.rules.phrases import distinct, figure, listed, places, plural
from whygrad.rules.remedies import remedy

ASCENT = "`{name}` changed by its gradient times 1.0, where a descent takes a small share of the gradient off"


def instead(index: Index) -> Iterator[Diagnosis]:
    """WG405: all that moved was moved so, by no optimizer's update."""
    yield from distinct(_instead(index, step, event) for step, event in _ascents(index) if not _others(step, event))


def beside(index: Index) -> Iterator[Diagnosis]:
    """WG418: some were moved so, while an optimizer moved the others."""
    yield from distinct(_beside(index, step, event) for step, event in _ascents(index) if _others(step, event))


def _ascents(index: Index) -> Iterator[tuple[StepIndex, Event]]:
    """Where an optimizer's rate is negative, the climb is asked for (WG406 speaks where it is not)."""
    climbing = any(group.rate is not None and group.rate < 0 for optimizer in index.record.optimizers for group in optimizer.groups)
    for step in index.steps if not climbing else ():
        known = {parameter.name for parameter in step.step.parameters}
        yield from ((step, event) for event in step.events("ascent") if not known.isdisjoint(event.targets))


def _others(step: StepIndex, event: Event) -> list[Parameter]:
    return [p for p in step.step.parameters if p.moved and p.name not in event.targets]


def _explained(index: Index, step: StepIndex) -> frozenset[Fact]:
    """What an ascent at a rate of one leads to."""
    kind, names = str(step.step.kind), [p.name for p in step.step.parameters]
    facts = {Fact(what, kind) for what in ("diverges", "stands", "explodes")}
    return frozenset(
        {*facts, *(Fact("non-finite", n) for n in (*names, *step.losses)), *(Fact("dead", n) for n in step.values), *grown(index)}
    )


def _told(step: StepIndex, event: Event) -> tuple[Evidence, ...]:
    first = next(p for p in step.step.parameters if p.name in event.targets)
    moved = f"moved by {figure(first.update_norm)}, the norm of its gradient is {figure(first.gradient_norm)}"
    return (
        Evidence(f"{ASCENT.format(name=first.name)}: {moved}", "update_norm", first.update_norm),
        Evidence(f"so did {plural(len(event.targets) - 1, 'more parameter')}", "parameters", len(event.targets)),
    )[: 1 + (len(event.targets) > 1)]


def _instead(index: Index, step: StepIndex, event: Event) -> Diagnosis:
    optimizer = next(iter(index.record.optimizers), None)
    name = f"the update of `{optimizer.name}`" if optimizer is not None else "an optimizer's update"
    return Diagnosis(
        rule="WG405",
        name="missing-step",
        severity="error",
        confidence="measured",
        message=f"the gradients are added to the parameters in place of {name}: each step climbs the loss",
        site=event.site,
        label="adds the gradients",
        related=places(
            (optimizer.site if optimizer is not None else None, f"`{optimizer.name if optimizer is not None else ''}` is made here")
        ),
        evidence=_told(step, event),
        help="apply the updates that the optimizer returns, not the gradients that it was given",
        explains=_explained(index, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(optimizer.name,) if optimizer is not None else (),
    )


def _beside(index: Index, step: StepIndex, event: Event) -> Diagnosis:
    site = event.site
    return Diagnosis(
        rule="WG418",
        name="update-without-gradient",
        severity="warning",
        confidence="measured",
        message=f"no link of the optimizer updates {listed(list(event.targets))}, and the raw gradient is added to {'it' if len(event.targets) == 1 else 'them'}: uphill",
        site=site,
        label="lets the gradients of the others through",
        evidence=_told(step, event),
        help="to keep them still, set their updates to zero (`optax.multi_transform` with `optax.set_to_zero()`); to train them, give them an optimizer",
        explains=_explained(index, step),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(event.targets),
        remedy=_still(site),
    )


_MASKED = re.compile(r"(?:optax\.)?masked\(.+,\s*(?:mask=)?([\w.]+(?:\([^()]*\))?)\)")


def _still(site: Site | None) -> Remedy | None:
    """The updates of what the mask leaves out set to zero."""
    own = site.text[site.column - 1 : (site.end_column or 1) - 1] if site is not None and site.column else ""
    found = _MASKED.fullmatch(own)
    if site is None or found is None:
        return None
    others = f"optax.masked(optax.set_to_zero(), jax.tree.map(lambda trained: not trained, {found[1]}))"
    return remedy(
        "keep the others still", Edit("wrap", site, f"optax.chain({{x}}, {others})"), changes="what the mask leaves out is not trained"
    )
