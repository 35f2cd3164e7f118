"""WG418: a parameter that takes no part moves all the same."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.timeline import updates_of
from whygrad.idioms import idiom
from whygrad.ir import Event, Group, Optimizer, Parameter, Site
from whygrad.rules import rule
from whygrad.rules.phrases import figure, finite, listed, places, plural
from whygrad.rules.remedies import remedy, unseen
from whygrad.rules.update.raw_gradients import beside
from whygrad.rules.update.zeroed_gradients import zeroed

SEEN = 1e-7
"""Smallest movement, relative to the parameter, that counts: the spacing of float32, the least that the values themselves can show."""


@rule("WG418", "update-without-gradient", "warning")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A parameter that the loss does not depend on, or that is frozen, moves all the same: by weight decay, or by momentum that is left.

    ## What it finds
    Parameters that an optimizer holds and whose gradient is exactly zero when the update begins, though neither the forward of the step reads them nor the loss depends on them, and
    that the update moves. The optimizer skips a gradient that is None; one that was set to zero it takes for a gradient.
    Parameters that the loss depends on and whose gradients the program makes zero before each update, where what goes on all the same adds up to a tenth of the parameter and more over the run.
    Parameters that are left out of a masked optimizer, so that their gradients pass through it and are added as they are.

    ## Why it matters
    A branch that was meant to stay as it is drifts towards zero, or goes on in the direction of its last gradients. Nothing in the loss shows it until the branch is used
    again.

    ## When it is fine
    Rows of an embedding that a batch does not use, units that are switched off and experts that are not chosen are read by the forward, and decay along with the rest
    as usual. So do all parameters in a step in which every gradient is zero.

    ## How sure
    Measured: the gradient when the update began, the parameter before and after it.

    ## References
    PyTorch, `torch.optim.Optimizer.zero_grad`, `set_to_none`; `torch.optim.AdamW`, `weight_decay`.
    """
    yield from beside(index)
    yield from zeroed(index)
    for optimizer in index.record.optimizers:
        for step in index.steps:
            later = _fed_later(index, step)
            moved = tuple(p for p in step.step.parameters if p.optimizer == optimizer.name and p.name not in later and _drifts(step, p))
            if moved and any(p.optimizer == optimizer.name and p.gradient_at_update == "finite" for p in step.step.parameters):
                yield _about(index, optimizer, step, moved)
                break


def _fed_later(index: Index, step: StepIndex) -> frozenset[str]:
    """Parameters with a gradient in a later step of the same kind: the zero was that of a start, as behind a factor of LoRA that begins at zero, inside of what is recorded as one op."""
    later = (other for other in index.kinds.get(step.step.kind, ()) if other.step.index > step.step.index)
    return frozenset(p.name for other in later for p in other.step.parameters if p.gradient_at_update == "finite")


def _drifts(step: StepIndex, parameter: Parameter) -> bool:
    """No part of the step's loss, no gradient but zeros, and yet moved."""
    if parameter.gradient_at_update != "zero" or (parameter.trainable and parameter.gradient not in ("zero", "none")):
        return False
    if parameter.trainable and (parameter.reached or parameter.value in step.shapes_loss):
        return False
    moved, norm = parameter.update_norm, parameter.norm
    return moved is not None and finite(moved) and moved > SEEN * (norm if norm is not None and finite(norm) else 0.0)


def _about(index: Index, optimizer: Optimizer, step: StepIndex, moved: tuple[Parameter, ...]) -> Diagnosis:
    names = [p.name for p in moved]
    cause, clear = _cause(optimizer, names), _cleared_at(step, names)
    update = next(iter(updates_of(step, names[0], optimizer.name)), None)
    frozen = not any(p.trainable for p in moved)
    return Diagnosis(
        "WG418",
        "update-without-gradient",
        "warning",
        "measured",
        f"{listed(names)} {'moves' if len(names) == 1 else 'move'} although {'frozen' if frozen else 'the loss does not depend on ' + ('it' if len(names) == 1 else 'them')}: {cause}",
        site=clear.site if clear is not None and clear.site is not None else optimizer.site,
        label="leaves zeros where there should be no gradient"
        if clear is not None and clear.site is not None
        else "holds parameters that take no part",
        related=places(
            (optimizer.site, f"`{optimizer.name}` holds them"), (update.site if update is not None else None, "and moves them here")
        ),
        evidence=tuple(_evidence(step, moved)),
        help=idiom(index, "without zeros"),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(names),
        remedy=_without_zeros(clear.site if clear is not None else None) or _zeroed_last(optimizer.site),
    )


_ZEROED = re.compile(r"\s*([A-Za-z_][\w.]*\.grad)(?:\.data)?\.zero_\(\)\s*(#.*)?$")


def _without_zeros(site: Site | None) -> Remedy | None:
    """None in the place of zeros; what is learnt need not show that parameters beside it stay as they are."""
    zeroed = _ZEROED.match(site.text) if site is not None else None
    what = "leave no gradient instead of zeros"
    if site is not None and zeroed is not None:
        return unseen(remedy(what, Edit("insert", site, f"{zeroed[1]} = None", after=False), Edit("drop", site)))
    told = site is not None and "set_to_none" in site.text
    return unseen(remedy(what, Edit("argument", site, "True", ("zero_grad",), "set_to_none"))) if told and site is not None else None


_ZEROED_FIRST = re.compile(r"((?:optax\.)?chain)\(((?:optax\.)?masked\((?:optax\.)?set_to_zero\(\),\s*[\w.]+\)),\s*(.+)\)")
"""A chain of optax' that sets gradients of some parameters to zero before what decays them."""


def _zeroed_last(site: Site | None) -> Remedy | None:
    """Updates set to zero at the end of the chain instead of gradients at its start."""
    own = site.text[site.column - 1 : (site.end_column or 1) - 1] if site is not None and site.column else ""
    found = _ZEROED_FIRST.fullmatch(own)
    if site is None or found is None:
        return None
    return unseen(remedy("set the updates to zero, not the gradients", Edit("replace", site, f"{found[1]}({found[3]}, {found[2]})")))


def _evidence(step: StepIndex, moved: tuple[Parameter, ...]) -> Iterator[Evidence]:
    first = moved[0]
    yield Evidence(
        f"`{first.name}` in step {step.step.index}: gradient exactly zero when the update began, moved by {figure(first.update_norm)} (norm {figure(first.norm)})",
        "update_norm",
        first.update_norm,
    )
    if len(moved) > 1:
        yield Evidence(f"so did {plural(len(moved) - 1, 'more parameter')}", "parameters", len(moved))


def _cause(optimizer: Optimizer, names: list[str]) -> str:
    """What moves a parameter whose gradient is zero."""
    groups = [group for group in optimizer.groups if not set(names).isdisjoint(group.parameters)]
    decay, momentum = max((_setting(g, "weight_decay") for g in groups), default=0.0), max((_momentum(g) for g in groups), default=0.0)
    if decay and momentum:
        return f"weight decay of {figure(decay)} and momentum go on"
    return f"weight decay of {figure(decay)} goes on" if decay else "the momentum of earlier gradients goes on"


def _momentum(group: Group) -> float:
    return max(_setting(group, "momentum"), _setting(group, "beta1"))


def _setting(group: Group, name: str) -> float:
    value = group.settings.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def _cleared_at(step: StepIndex, names: list[str]) -> Event | None:
    """The clearing that wrote zeros."""
    return next((event for event in step.events("clear") if not set(names).isdisjoint(event.targets)), None)
