"""WG401: trained by intent, but no optimizer holds it."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.flow.origins import set_at
from whygrad.idioms import idiom, speaks, speaks_torch
from whygrad.ir import Optimizer, Parameter, Site
from whygrad.rules import rule
from whygrad.rules.phrases import finite, listed, places, plural
from whygrad.rules.remedies import remedy, setting
from whygrad.rules.update.unheld import forgotten, holder, modules_of, moved_as_well, stands_still, twin_of


@rule("WG401", "not-in-optimizer", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Trainable parameters get a gradient, but no optimizer holds them, so they never move.

    ## What it finds
    Parameters of the model that a gradient reaches and that stand still from the first recorded step to the end of the program, because
    they were never handed to an optimizer: `optim.Adam(model.head.parameters())`, a second network that was forgotten, a module that was
    added after the optimizer had been made.

    ## Why it matters
    Their gradients are calculated and thrown away. What is held learns around them, so the loss falls, though not as far as it could.

    ## When it is fine
    Weights that were loaded from a checkpoint are often left out on purpose, and so is a whole model when only an input or a latent code is
    optimised. Parameters that are changed by hand, as in an update without an optimizer or a moving average, move. All of these are left
    alone. To keep a part fixed, `requires_grad_(False)` says so and saves the work.

    ## How sure
    Proved by the recorded gradients, the optimizers' parameter groups, and a comparison of the parameters' values at the end of the run.

    ## References
    `whygrad explain WG402` (the optimizer holds other tensors), `WG307` (the model does not know the parameter), `WG305` (frozen).
    """
    stepping = [optimizer for optimizer in index.record.optimizers if optimizer.steps]
    lost = [parameter for parameter in forgotten(index) if stands_still(index, parameter) and not parameter.loaded]
    # timid: where nothing of the model is held, the program optimises something else: an input, a latent code
    trains = any(held.registered and held.reached for name in index.held if (held := index.parameters.get(name)))
    if stepping and lost and trains and not any(optimizer.orphans for optimizer in stepping):
        yield diagnosis(index, holder(stepping, lost), lost)


def diagnosis(index: Index, optimizer: Optimizer, lost: list[Parameter]) -> Diagnosis:
    """One for the run, since one line is to be edited."""
    modules = modules_of(index, lost)
    names = frozenset(parameter.name for parameter in lost)
    verb = "is" if len(modules) == 1 else "are"
    twin = twin_of(optimizer, index.record.optimizers)
    taken, given = set_at(index, optimizer, "held"), optimizer.given_site
    exchanged = _exchanged(index, optimizer, twin, lost[0]) if twin else None
    return Diagnosis(
        rule="WG401",
        name="not-in-optimizer",
        severity="error",
        confidence="proved",
        message=f"{listed(modules)} {verb} held by no optimizer: {plural(len(lost), 'parameter')} with a gradient never {'moves' if len(lost) == 1 else 'move'}",
        site=taken or given or optimizer.site,
        label=f"{'this list has' if taken else 'is given' if given else 'holds'} {plural(sum(len(group.parameters) for group in optimizer.groups), 'parameter')}, not {listed(modules)}",
        related=places(
            (given if taken else None, f"`{optimizer.name}` is given it here"),
            (_made_elsewhere(optimizer), f"`{optimizer.name}` is made here"),
            (twin.site if twin else None, f"`{twin.name if twin else ''}` holds the very same parameters"),
            (lost[0].site, f"`{modules[0]}` is made here"),
        ),
        evidence=(Evidence(what_happened(lost), "parameters", len(lost)),),
        help=f"{exchanged.summary}: what it holds, another optimizer updates already"
        if exchanged
        else idiom(index, "hold", optimizer=optimizer.name, module=modules[0]),
        facts=frozenset(Fact("unheld", name) for name in names),
        explains=frozenset((*(Fact("unmoved", name) for name in names), *idle(index, optimizer))),
        names=tuple(modules),
        test=moved_as_well(lost),
        remedy=_remedy(index, optimizer)
        or exchanged
        or (_variables_of(index, optimizer, lost) if speaks(index, "tensorflow") else None)
        or (_added(index, optimizer, lost[0]) if len(modules) == 1 else None)
        or _another_group(index, optimizer, modules, names),
    )


def _another_group(index: Index, optimizer: Optimizer, modules: list[str], names: frozenset[str]) -> Remedy | None:
    """A group of their own behind the line that makes the optimizer, picked by their names."""
    if optimizer.site is None or not speaks_torch(index):
        return None
    starts = [module if module in names else f"{module}." for module in modules]
    picked = f"({', '.join(repr(start) for start in starts)}{',' if len(starts) == 1 else ''})".replace("'", '"')
    return remedy(
        f"give it {listed(modules)} as well",
        Edit("group", optimizer.site, picked, keyword="" if _RATED.search(optimizer.site.text) else "lr"),
        changes=f"{listed(modules)} {'is' if len(modules) == 1 else 'are'} trained, with the settings that the optimizer has for all",
    )


def _made_elsewhere(optimizer: Optimizer) -> Site | None:
    """Where it is made, if that is another line than the one that tells it what to update."""
    made, given = optimizer.site, optimizer.given_site
    return made if made and given and (made.file, made.line) != (given.file, given.line) else None


def idle(index: Index, optimizer: Optimizer) -> Iterator[Fact]:
    """What the optimizer holds was frozen, as a base is under adapters: no fault beside parameters that should be in their place."""
    for name in (name for group in optimizer.groups for name in group.parameters):
        parameter = index.parameters.get(name)
        if parameter is not None and not parameter.trainable:
            yield Fact("no-gradient", name)


def what_happened(lost: list[Parameter]) -> str:
    """The largest gradient among them, and that they did not move."""
    norms = [parameter.gradient_norm for parameter in lost if parameter.gradient_norm is not None and finite(parameter.gradient_norm)]
    known = f" (norms up to {max(norms):.3g})" if norms else ""
    return f"{listed(parameter.name for parameter in lost)} got gradients{known} and hold the same values at the end as at the first recorded step"


def _remedy(index: Index, optimizer: Optimizer) -> Remedy | None:
    """All parameters of the model of which the optimizer was given a part."""
    part = _PART.search(optimizer.site.text) if optimizer.site is not None else None
    if part is None or not speaks_torch(index):
        return None
    return remedy(
        f"give it all parameters of `{part[1]}`",
        setting(optimizer.site, "params", f"{part[1]}.parameters()", position=0),
        changes=f"every trainable parameter of `{part[1]}` is trained, with one rate",
    )


def _exchanged(index: Index, optimizer: Optimizer, twin: Optimizer, lost: Parameter) -> Remedy | None:
    """The model that no optimizer holds, in the place of what another one updates as well."""
    name = _name_before(index, optimizer, lost)
    if not name or optimizer.site is None or not speaks_torch(index) or not _WHOLE.search(optimizer.site.text):
        return None
    return remedy(
        f"give `{optimizer.name}` the parameters of `{name}` alone",
        setting(optimizer.site, "params", f"{name}.parameters()", position=0),
        changes=f"`{name}` is trained by it, and what it was given by `{twin.name}` alone",
    )


_WHOLE = re.compile(r"\(\s*(params\s*=\s*)?[\w.]+\.parameters\(\)")
"""All parameters of one model, handed to the optimizer first."""


def _added(index: Index, optimizer: Optimizer, lost: Parameter) -> Remedy | None:
    """The module that was made before the optimizer, beside what this was given: its parameters, or a group where it was given groups."""
    given, name = optimizer.site, _name_before(index, optimizer, lost)
    grouped = given is not None and _GROUP.search(given.text) is not None
    if given is None or not name or not speaks_torch(index) or not (grouped or ".parameters()" in given.text):
        return None
    entry = f'{{"params": {name}.parameters()}}' if grouped else f"*{name}.parameters()"
    return remedy(
        f"give it the parameters of `{name}` as well",
        Edit("wrap", given, f"[*{{x}}, {entry}]", keyword="params", position=0),
        changes=f"`{name}` is trained, with the settings that the optimizer has for all",
    )


def _variables_of(index: Index, optimizer: Optimizer, lost: list[Parameter]) -> Remedy | None:
    """The variables of one other model beside those that the gradient is asked for and that are updated."""
    given = optimizer.given_site
    names = {_attribute(given, parameter) or _name_before(index, optimizer, parameter) for parameter in lost}
    name = names.pop() if len(names) == 1 else ""
    asked = _TRAINED.search(given.text) if given is not None else None
    if given is None or asked is None or not name or name == asked[1]:
        return None
    return remedy(
        f"give it the variables of `{name}` as well",
        Edit("alike", given, f"{name}.{asked[2]} + {{x}}", written=asked[0]),
        changes=f"`{name}` is trained, with the settings that the optimizer has for all",
    )


_TRAINED = re.compile(r"(?<![\w.])((?:self\.)?[A-Za-z_]\w*)\.(trainable_(?:variables|weights))\b")
_KEPT = re.compile(r"\s*(self\.[A-Za-z_]\w*)\s*=[^=]")


def _attribute(given: Site | None, lost: Parameter) -> str:
    """The attribute of the object whose method asks for the gradient that the lost module was made for; "" where another object made it."""
    own = given.function.rpartition(".")[0] if given is not None else ""
    ways = (frame for frame in _frames(lost.site) if given and own and (frame.file, frame.function.rpartition(".")[0]) == (given.file, own))
    return next((found[1] for frame in ways if (found := _KEPT.match(frame.text)) is not None), "")


def _name_before(index: Index, optimizer: Optimizer, lost: Parameter) -> str:
    """The variable that the lost module was made for, in the function that makes the optimizer; "" where held parameters came by it too."""
    held = {frame.line_of_code for p in index.parameters.values() if p.name in index.held for frame in _frames(p.site)}
    for frame in _frames(lost.site):
        found = _MADE.match(frame.text)
        if found and optimizer.site and frame.line_of_code not in held and _reaches(frame, found[1], optimizer.site):
            return found[2]
    return ""


def _frames(site: Site | None) -> tuple[Site, ...]:
    return site.with_callers if site is not None else ()


def _reaches(made: Site, indent: str, used: Site) -> bool:
    """A statement of the same function stands before another one, and in no block that this is not in."""
    same = (made.file, made.function) == (used.file, used.function) and made.line < used.line
    return same and len(indent) <= len(used.text) - len(used.text.lstrip())


_MADE = re.compile(r"(\s*)([A-Za-z_]\w*)\s*=[^=]")
_GROUP = re.compile(r"[\"']params[\"']\s*:")
_RATED = re.compile(r"\blr\s*=")
"""A rate that the optimizer is given for all its groups."""
_PART = re.compile(r"\b([A-Za-z_]\w*)(?:\.\w+|\[[^]]*\])+\.parameters\(\)")
"""`model.head.parameters()`, of which the model is the first part."""
