"""WG402: the optimizer holds tensors that the model no longer uses."""

import re
from collections.abc import Iterator
from dataclasses import replace

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.cast_copies import cast_copies
from whygrad.flow.failures import Failure, consequences, matching
from whygrad.idioms import idiom, speaks_torch
from whygrad.ir import Optimizer, Parameter, Site, Value
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, listed, places, plural, typed
from whygrad.rules.remedies import moved as moving
from whygrad.rules.remedies import remedy, setting, unseen
from whygrad.rules.update.other_trees import other_trees
from whygrad.rules.update.unheld import forgotten, modules_of, moved_as_well, stands_still

UNKNOWN = re.compile(r"Unknown variable: <(?:Variable path=(?P<path>[^,>]+)|tf\.Variable '(?P<name>[^']+)')")
"""What Keras 3 says of a variable that its optimizer was not built with (3.15)."""


@rule("WG402", "stale-optimizer", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The optimizer was made from parameters that have since been replaced, and updates tensors that no model uses.

    ## What it finds
    An optimizer with tensors that no model in the run has, while parameters that get a gradient are held by none: the layer or the whole
    model was made anew, copied (into stacked members of an ensemble, say), or replaced after `optim.SGD(model.parameters())` had run, perhaps late in the run, as where `model = copy.deepcopy(best)` goes back to the best epoch. In Keras, an optimizer that refuses a variable which
    it was not built with: of a second model, or of a layer that was unfrozen after its first update. In JAX, an update that raises because the derivative was taken by the data, which
    are the first argument of the loss function.
    Also an optax update that raised, since its state was made for another tree than it is handed.

    ## Why it matters
    The optimizer steps without any complaint, on tensors without a gradient. The parameters that the forward reads never move.

    ## When it is fine
    An optimizer may hold tensors beside a model, as prompts, learned loss weights or a network that is not used yet. The rule speaks only
    where, at the same time, parameters with a gradient are in no optimizer.

    ## How sure
    Proved by identity: the tensors in the optimizer's groups are not those that the forward reads.

    ## References
    PyTorch, `torch.optim`: construct the optimizer after the model is complete; `whygrad explain WG401`.
    """
    elsewhere = list(asked_of_others(index))
    yield from elsewhere
    lost = [parameter for parameter in forgotten(index) if stands_still(index, parameter)] if not elsewhere else []
    yield from other_trees(index)
    if any(True for _ in cast_copies(index)):
        return  # timid: weights in two precisions are WG318's
    refusals = list(matching(index, UNKNOWN))
    ended = frozenset(fact for failure, _ in refusals for fact in consequences(failure, failure.step))
    held = (
        [replace(found, explains=found.explains | ended) for found in replaced(index, lost)]
        or list(exchanged(index))
        or list(exchanged_layers(index))
        or list(copied(index))
    )
    yield from held or distinct(refused(index, failure, match) for failure, match in refusals)


def asked_of_others(index: Index) -> Iterator[Diagnosis]:
    """An update that raised, since it was handed the derivative by other arrays than the optimizer was made for: by the data, mostly."""
    raised, step = index.record.outcome.exception, index.steps[-1] if index.steps else None
    if raised is None or step is None or not step.step.parameters:
        return
    asked = [step.value(parameter.value) for parameter in step.step.parameters]
    for optimizer in index.record.optimizers:
        if optimizer.orphans and not optimizer.steps and not {value.type for value in asked} & set(optimizer.orphans):
            yield _asked_of_others(index, step, optimizer, asked)


def _asked_of_others(index: Index, step: StepIndex, optimizer: Optimizer, asked: list[Value]) -> Diagnosis:
    raised = index.record.outcome.exception
    site = next((event.site for event in step.events("backward") if event.site), None)
    names = [value.shown for value in asked]
    return Diagnosis(
        rule="WG402",
        name="stale-optimizer",
        severity="error",
        confidence="proved",
        message=f"the derivative is taken by {listed(names)}, and `{optimizer.name}` was made for other arrays",
        site=site,
        label=f"differentiates by {typed(asked[0])}",
        related=places((optimizer.site, f"`{optimizer.name}` is made here")),
        evidence=(
            Evidence(
                f"`{optimizer.name}` was made for {', '.join(optimizer.orphans[:3])}{' …' if len(optimizer.orphans) > 3 else ''}; none of what is differentiated has such a type",  # noqa: PLR2004 - a few will do
                "tensors",
                len(optimizer.orphans),
            ),
        ),
        help="put the parameters first in the function that is differentiated, or say with `argnums` which argument they are",
        facts=frozenset({Fact("orphans", optimizer.name)}),
        explains=frozenset({Fact("exception", raised.type)} if raised is not None else ()),
        kind=step.step.kind,
        step=step.step.index,
        names=(optimizer.name,),
    )


def replaced(index: Index, lost: list[Parameter]) -> Iterator[Diagnosis]:
    """Optimizers that hold other tensors than the forward reads."""
    for optimizer in index.record.optimizers:
        # timid: a derivative of a number beside a model that is not trained in the run says nothing of the model's optimizer
        if optimizer.orphans and any(optimizer.steps or p.owner for p in lost):
            yield diagnosis(index, optimizer, lost)
        elif lost and (twins := displaced(index, optimizer, lost)):
            yield later_diagnosis(index, optimizer, lost, twins)


def copied(index: Index) -> Iterator[Diagnosis]:
    """Optimizers that hold what tensors outside every model were copied from: these are read and get the gradient, as the stacked members of an ensemble."""
    loose = [p for p in index.parameters.values() if p.trainable and not p.registered and not p.optimizer and p.name in index.with_gradient]
    strays = [p for p in loose if p.name not in index.held and stands_still(index, p)]
    for optimizer in index.record.optimizers if strays else ():
        twins = displaced(index, optimizer, strays)
        if twins and not any(p.gradient != "none" for step in index.steps for p in step.step.parameters if p.optimizer):
            yield later_diagnosis(index, optimizer, strays, twins)


def exchanged(index: Index) -> Iterator[Diagnosis]:
    """Optimizers that stepped in a later step whose parameters were other tensors of the same names, none of which any optimizer held or moved."""
    for optimizer in index.record.optimizers:
        known = {p.name for step in index.steps for p in step.step.parameters if p.optimizer == optimizer.name}
        for step in index.steps:
            stepped = any(optimizer.name in event.targets and event.attributes.get("idle") for event in step.events("optimizer_step"))
            read = [p for p in step.step.parameters if p.reached and p.gradient != "none" and p.trainable]
            # timid: what is updated by hand moves
            if stepped and read and all(p.name in known and not p.optimizer and not p.update_norm for p in read):
                yield _exchanged(index, optimizer, step, read)
                break


def exchanged_layers(index: Index) -> Iterator[Diagnosis]:
    """The same of some layers alone: the optimizer goes on with the others."""
    for optimizer in index.record.optimizers:
        known: set[str] = set()
        for step in index.steps:
            read = [p for p in step.step.parameters if p.reached and p.gradient == "finite" and p.trainable]
            own = [p for p in read if p.optimizer == optimizer.name]
            # timid: what is updated by hand moves, and so may what is still to be handed over
            new = [p for p in read if p.name in known and not p.optimizer and not p.update_norm and stands_still(index, p)]
            stepped = any(optimizer.name in event.targets for event in step.events("optimizer_step"))
            if stepped and new and any(p.update_norm for p in own):
                yield _exchanged_layers(index, optimizer, step, new)
                break
            known |= {p.name for p in own}


def _exchanged_layers(index: Index, optimizer: Optimizer, step: StepIndex, new: list[Parameter]) -> Diagnosis:
    """What is said where a layer was made anew in the course of the run."""
    whole = _exchanged(index, optimizer, step, new)
    modules = list(dict.fromkeys(p.name.rpartition(".")[0] or p.name for p in new))
    verb, it = ("is", "it") if len(modules) == 1 else ("are", "them")
    return replace(
        whole,
        message=f"in step {step.step.index} {listed(modules)} {verb} no longer what `{optimizer.name}` was made with, and nothing moves {it}",
        label=f"made with {listed(modules)} of that time",
        related=places((new[0].site, f"`{modules[0]}` with other parameters is read here")),
        evidence=(
            Evidence(
                f"{listed(p.name for p in new)} got gradients in step {step.step.index}, are held by no optimizer and did not change; `{optimizer.name}` moved others in that step",
                "parameters",
                len(new),
            ),
            Evidence(f"in earlier steps `{optimizer.name}` held the parameters of these names"),
        ),
        help=f"{idiom(index, 'load or remake', optimizer=optimizer.name)}; parameters that come later can be handed over with `{optimizer.name}.add_param_group`"
        if speaks_torch(index)
        else idiom(index, "load or remake", optimizer=optimizer.name),
        names=(optimizer.name, *modules),
    )


def _exchanged(index: Index, optimizer: Optimizer, step: StepIndex, read: list[Parameter]) -> Diagnosis:
    """What is said where the model became another one of the same make in the course of the run: loaded, or copied."""
    names = [parameter.name for parameter in read]
    return Diagnosis(
        rule="WG402",
        name="stale-optimizer",
        severity="error",
        confidence="proved",
        message=f"in step {step.step.index} the model's parameters are no longer those that `{optimizer.name}` was made with: none of them moves",
        site=optimizer.site,
        label="made with the parameters of the model of that time",
        related=places((read[0].site, "a model with other parameters of the same names runs here")),
        evidence=(
            Evidence(
                f"{listed(names)} got gradients in step {step.step.index}, are held by no optimizer and did not change; `{optimizer.name}` stepped all the same, on tensors without a gradient",
                "parameters",
                len(names),
            ),
            Evidence(f"in earlier steps `{optimizer.name}` held the parameters of these names"),
        ),
        help=f"{idiom(index, 'load or remake', optimizer=optimizer.name)}; a copy of a model has parameters of its own",
        facts=frozenset({Fact("orphans", optimizer.name)}),
        explains=frozenset(
            {
                *(Fact(what, name) for what in ("unheld", "unmoved") for name in names),
                Fact("stands", str(step.step.kind)),
                Fact("no-update", str(step.step.kind)),
            }
        ),
        kind=step.step.kind,
        step=step.step.index,
        names=(optimizer.name,),
        test=moved_as_well(read),
    )


def refused(index: Index, failure: Failure, match: "re.Match[str]") -> Diagnosis:
    """What is said where Keras' optimizer itself refuses variables that it was not built with."""
    used = [optimizer for optimizer in index.record.optimizers if optimizer.steps] or list(index.record.optimizers)
    stale = used[0] if len(used) == 1 else None
    name, variable = f"`{stale.name}`" if stale is not None else "an optimizer", match["path"] or match["name"] or "a variable"
    held = [parameter for group in stale.groups for parameter in group.parameters] if stale is not None else []
    built = f", for {listed(held)}" if held else ""
    return Diagnosis(
        rule="WG402",
        name="stale-optimizer",
        severity="error",
        confidence="proved",
        message=f"{name} was built for other variables, and is given `{variable}`, which it does not know",
        site=(stale.site if stale is not None else None) or failure.site,
        label="built at its first update, with the variables of that time",
        related=places((failure.site, f"it is given `{variable}` here")),
        evidence=(
            *((Evidence(f"it took {plural(stale.steps, 'update')} before{built}", "updates", stale.steps),) if stale is not None else ()),
            Evidence(f"the call raised {failure.type}: an optimizer can only update the variables that it was built with"),
        ),
        help="make a new optimizer for each model, or build it with all variables, also those that are trained later, before its first update",
        remedy=_for_each_model(stale, failure),
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step is not None else None,
        step=failure.step.step.index if failure.step is not None else None,
        names=(variable,),
    )


def _for_each_model(stale: Optimizer | None, failure: Failure) -> Remedy | None:
    """The optimizer made at the start of each turn of the loop that trains one model after another."""
    site = stale.site if stale is not None else None
    ways = failure.site.with_callers if failure.site is not None and site is not None else ()
    used = next((way for way in ways if site and (way.file, way.function) == (site.file, site.function) and way.line > site.line), None)
    if used is None:
        return None
    made = remedy("make the optimizer anew for each model", Edit("move", site, to=used, after=False, around="body") if site else None)
    # the first model was trained well, and its loss does not show what became of the next one
    return unseen(made)


def displaced(index: Index, optimizer: Optimizer, lost: list[Parameter]) -> list[Parameter]:
    """What the optimizer holds and stepped, unread and without a gradient, in a step in which only what no optimizer holds was read; [] where there is no such step."""
    for step in index.steps:
        held = [p for p in step.step.parameters if any(p.name in group.parameters for group in optimizer.groups)]
        read = [p for p in step.step.parameters if p.name in {one.name for one in lost} and p.reached and p.gradient != "none"]
        stepped = any(optimizer.name in event.targets for event in step.events("optimizer_step"))
        if held and read and stepped and not any(p.reached or p.gradient != "none" for p in held):
            return held
    return []


def later_diagnosis(index: Index, optimizer: Optimizer, lost: list[Parameter], held: list[Parameter]) -> Diagnosis:
    """What is said where the model was replaced in the course of the run."""
    names = frozenset(parameter.name for parameter in lost)
    verb = "is" if len(lost) == 1 else "are"
    seen = next((step for step in index.steps if any(p.name in names and p.reached for p in step.step.parameters)), None)
    return Diagnosis(
        rule="WG402",
        name="stale-optimizer",
        severity="error",
        confidence="proved",
        message=f"`{optimizer.name}` goes on updating {plural(len(held), 'parameter')} that the forward does not read: it reads {listed(_in_words(index, lost))}",
        site=optimizer.site,
        label="made from parameters that this training does not use",
        related=places((_made(index, lost[0]), "what the forward reads was made here")),
        evidence=(
            Evidence(
                f"{listed(p.name for p in held)} {verb} read by no op of the step; {plural(len(lost), 'parameter')} that no optimizer holds {verb}",
                "parameters",
                len(lost),
            ),
            Evidence(f"{listed(names_in_order(lost))} got gradients and did not move"),
        ),
        help=idiom(index, "load or remake", optimizer=optimizer.name),
        facts=frozenset({Fact("orphans", optimizer.name)}),
        explains=frozenset(
            {
                *(Fact(what, name) for what in ("unheld", "unmoved", "unregistered") for name in names),
                *(Fact(what, p.name) for p in held for what in ("no-gradient", "unused")),
            }
        ),
        kind=seen.step.kind if seen is not None else None,
        names=(optimizer.name,),
        test=moved_as_well(lost),
        remedy=_of_the_other(index, optimizer, lost),
    )


def _in_words(index: Index, lost: list[Parameter]) -> list[str]:
    """The modules that they lie in; what lies in no model by the variable that holds it."""
    return modules_of(index, lost) if lost[0].registered else list(dict.fromkeys(p.name.partition("[")[0] for p in lost))


def _made(index: Index, parameter: Parameter) -> Site | None:
    """Where it was made: the step that saw it first still knows."""
    sites = (p.site for step in index.steps for p in step.step.parameters if p.name == parameter.name)
    return next((site for site in sites if site is not None), None)


_WHOLE = re.compile(r"\b([A-Za-z_]\w*)\.parameters\(\)")
_MODEL = re.compile(r"([A-Za-z_]\w*)\s*=[^=]")


def _of_the_other(index: Index, optimizer: Optimizer, lost: list[Parameter]) -> Remedy | None:
    """The model that was made before the optimizer in its place, where the optimizer was given another one by its name."""
    site = optimizer.site
    given = _WHOLE.search(site.text) if site is not None else None
    born = _made(index, lost[0])
    made = born.with_callers if born is not None else ()
    before = [one for one in made if site and (one.file, one.function) == (site.file, site.function) and one.line < site.line]
    name = next((found[1] for one in before if (found := _MODEL.match(one.text.strip()))), "")
    if given is None or site is None or given[1] == name:
        return None
    if not name:
        return _of_the_read(site, lost[0], made)
    return remedy(f"give it the parameters of `{name}`", setting(site, "params", f"{name}.parameters()", position=0))


def _of_the_read(site: Site, lost: Parameter, ways: tuple[Site, ...]) -> Remedy | None:
    """The model that a later line of the same function reads, by the name that it has there: nobody saw it made."""
    called = lost.name.partition(".")[0]
    used = next((one for one in ways if (one.file, one.function) == (site.file, site.function) and one.line > site.line), None)
    if used is None or not lost.registered or called == lost.name:
        return None
    told = setting(site, "params", "{name}.parameters()", position=0)
    edit = replace(told, to=used, written=called) if told is not None else None
    return remedy(f"give it the parameters of the model that is trained in line {used.line}", edit)


def diagnosis(index: Index, optimizer: Optimizer, lost: list[Parameter]) -> Diagnosis:
    """What is said, at the line that made the optimizer."""
    modules, names = modules_of(index, lost), frozenset(parameter.name for parameter in lost)
    held = sum(len(group.parameters) for group in optimizer.groups)
    idle = {
        Fact("no-update", str(kind))
        for kind, steps in index.kinds.items()
        if not any(name in index.held for step in steps for name in moved(step.step.parameters))
    }
    return Diagnosis(
        rule="WG402",
        name="stale-optimizer",
        severity="error",
        confidence="proved",
        message=f"`{optimizer.name}` holds {plural(len(optimizer.orphans), 'tensor')} that no model uses, and not {listed(modules)}",
        site=optimizer.site,
        label="made from parameters that were replaced later",
        related=places((lost[0].site, f"`{modules[0]}` that the forward reads was made here")),
        evidence=(
            Evidence(
                f"`{optimizer.name}` holds {', '.join(optimizer.orphans[:3])}{' …' * bool(optimizer.orphans[3:])}, which no forward reads, and {plural(held, 'parameter')} of the model",
                "orphans",
                len(optimizer.orphans),
            ),
            Evidence(
                f"{listed(names_in_order(lost))} got gradients and hold the same values at the end as at the first recorded step",
                "parameters",
                len(lost),
            ),
        ),
        help=f"make `{optimizer.name}` after the last change to the model's layers",
        facts=frozenset({Fact("orphans", optimizer.name)}),
        explains=frozenset(
            {
                *(Fact(what, name) for what in ("unheld", "unmoved") for name in names),
                *idle,
                *(Fact("stands", fact.subject) for fact in idle),
            }
        ),
        names=(optimizer.name, *modules),
        test=moved_as_well(lost),
        remedy=_made_later(optimizer, lost[0].site),
    )


def _made_later(optimizer: Optimizer, made: Site | None) -> Remedy | None:
    """The optimizer behind the layers; with what is made of it on the way, a schedule say, where there is something."""
    site, behind = optimizer.site, _beside(optimizer.site, made)
    together = Edit("postpone", site, to=behind) if site and behind and site.file == behind.file else None
    return remedy(f"make `{optimizer.name}` after the new layers", moving(site, behind), otherwise=(together,))


def _beside(site: Site | None, made: Site | None) -> Site | None:
    """Where the function that makes the optimizer makes the layers, or the model that makes them; the layers' own line where that is elsewhere."""
    ways = made.with_callers if made is not None and site is not None else ()
    return next((way for way in ways if site and (way.file, way.function) == (site.file, site.function)), made)


def names_in_order(lost: list[Parameter]) -> Iterator[str]:
    """Names as the model lists them."""
    return (parameter.name for parameter in lost)


def moved(parameters: tuple[Parameter, ...]) -> Iterator[str]:
    """Parameters that an update changed."""
    return (parameter.name for parameter in parameters if parameter.update_norm)
