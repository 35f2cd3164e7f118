"""The part of WG405 about updates that took the place of the parameters to which they were to be added."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.growth import grown
from whygrad.idioms import idiom
from whygrad.ir import Event, Site
from whygrad.rules.phrases import distinct, figure, listed, places
from whygrad.rules.remedies import remedy


def exchanged(index: Index) -> Iterator[Diagnosis]:
    """What was kept after a step is, to the last bit, what an optimizer made of the gradients."""
    yield from distinct(_told(index, step, event) for step in index.steps for event in step.events("exchanged") if event.targets)


def _told(index: Index, step: StepIndex, event: Event) -> Diagnosis:
    optimizer = next(iter(index.record.optimizers), None)
    name = optimizer.name if optimizer is not None else "the optimizer"
    held = list(event.targets)
    return Diagnosis(
        rule="WG405",
        name="missing-step",
        severity="error",
        confidence="measured",
        message=f"the update of `{name}` takes the place of the parameters: it is never added to them",
        site=event.site,
        label="hands out what is to be added to the parameters",
        related=places((optimizer.site if optimizer is not None else None, f"`{name}` is made here")),
        evidence=(
            Evidence(f"after the step {listed(held)} {'is' if len(held) == 1 else 'are'} the update itself, to the last bit", "parameters"),
            *_sizes(step, held),
        ),
        help=idiom(index, "add the step", optimizer=name),
        explains=frozenset(
            {*(Fact(what, str(step.step.kind)) for what in ("diverges", "stands", "vanishes", "insensitive")), *grown(index)}
            | {Fact("unmoved", name) for name in held}
        ),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(held),
        remedy=_added(event.site),
    )


def _sizes(step: StepIndex, held: list[str]) -> Iterator[Evidence]:
    """How far it moved by that, beside what it was."""
    first = next((p for p in step.step.parameters if p.name == held[0] and p.norm is not None and p.update_norm is not None), None)
    if first is not None:
        yield Evidence(
            f"`{first.name}` of norm {figure(first.norm)} changed by {figure(first.update_norm)}", "update_norm", first.update_norm
        )


_REBOUND = re.compile(r"\s*([\w.]+)\s*,\s*[\w.]+\s*=\s*[\w.]+\.update\([^()]*\)\s*$")
"""A statement that binds the update, under the name of the parameters as a rule, and the new state."""


def _added(site: Site | None) -> Remedy | None:
    """The parameters are kept before the statement, and what it makes is added to them behind it."""
    bound = _REBOUND.match(site.text) if site is not None else None
    if site is None or bound is None:
        return None
    before = Edit("insert", site, f"before = {bound[1]}", after=False)
    return remedy("add the update to the parameters", before, Edit("insert", site, f"{bound[1]} = optax.apply_updates(before, {bound[1]})"))
