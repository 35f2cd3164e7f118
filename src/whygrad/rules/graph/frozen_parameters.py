"""WG305: nothing, or not what the program trains, is trainable."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Related, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.origins import asked_at, chosen_at
from whygrad.flow.starved import ends, refusal
from whygrad.idioms import idiom
from whygrad.ir import Event, Optimizer, Parameter, Site
from whygrad.rules import rule
from whygrad.rules.graph.empty_thawing import thaws_nothing
from whygrad.rules.graph.empty_trees import about_empty_tree
from whygrad.rules.graph.stopped_without import frozen_for_optimizer
from whygrad.rules.graph.thawing import freezing, frozen_by_choice, thawed_again
from whygrad.rules.phrases import listed, places, plural
from whygrad.rules.remedies import remedy
from whygrad.rules.update.unheld import moved_too


@rule("WG305", "frozen-parameters", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Nothing that shapes the loss is trainable, or what is trainable is not what the program means to train.

    ## What it finds
    Seven forms. The forward reads parameters and all of them are frozen; an optimizer holds frozen parameters alone, from the first recorded step to the end; or, only
    suspected, newly made parameters were frozen while all trainable ones come from a checkpoint, as if the condition on the names were the wrong way round.
    A gradient that is asked for with an empty list, taken before the layers had made their variables, or, in JAX, by a tree without arrays. And, measured, newly made layers were frozen, the last one among them, the loss stands (or, by scales and biases alone, has not come far), and it falls further when they are trained as well.
    In Keras, layers that the program makes trainable and that hold no parameter, such as the input layer of a frozen model, while what it froze stays so to the end.
    Also a program whose optimizer was given the trainable parameters of a model that has none.

    ## Why it matters
    A frozen parameter gets no gradient and is skipped by the optimizer without a word. With everything frozen, backward raises that element 0 of tensors does not
    require grad; where something else in the graph requires a gradient, nothing is said at all. The usual cause is a loop that freezes `model.parameters()` after the new head was
    put in, or a name prefix that also matches the head.

    ## When it is fine
    A frozen backbone under a trainable head, adapters beside frozen weights, layers unfrozen later in the run, discriminator and generator frozen in turn, an image optimised
    through a frozen network.

    ## How sure
    Proved where nothing is trainable; suspected where the choice looks reversed.

    ## References
    PyTorch, "Autograd mechanics: setting requires_grad" and "Transfer learning for computer vision"; Keras, "Transfer learning and fine-tuning".
    """
    loss_bound = list(_all_frozen(index))
    yield from loss_bound
    yield from frozen_for_optimizer(index)
    yield from _asked_about_none(index)
    yield from _held_frozen(index, {name for found in loss_bound for name in found.names})
    if not loss_bound:
        yield from thaws_nothing(index)
        yield from _reversed(index)
        yield from frozen_by_choice(index)


def _asked_about_none(index: Index) -> Iterator[Diagnosis]:
    """The gradient of no variable is asked for, though trainable ones shape the loss: the list was taken before there were any."""
    for step in index.steps:
        event = next((event for event in step.events("backward") if event.attributes.get("asked") == 0), None)
        names = tuple(p.name for p in _shaping(index, step) if p.trainable)
        if event is not None and not step.step.parameters and index.record.optimizers:
            yield about_empty_tree(index, step, event)
            return
        if event is None or not names:
            continue
        refused = [Fact("exception", index.record.outcome.exception.type)] if index.record.outcome.exception is not None else []
        taken = asked_at(index, event.targets)
        yield Diagnosis(
            "WG305",
            "frozen-parameters",
            "error",
            "proved",
            f"the gradient of no variable is asked for, and {plural(len(names), 'trainable parameter')} {'shapes' if len(names) == 1 else 'shape'} the loss",
            site=taken or event.site,
            label="this list was empty when it was taken" if taken else "asked with an empty list",
            related=(Related(event.site, "the gradient is asked for here"),) if taken and event.site else (),
            evidence=(Evidence(f"0 variables were given, and the loss was computed from {listed(names)}", "asked", 0),),
            help="take the list of variables when the gradient is asked for, or call the model once before: layers make their variables at their first call",
            facts=frozenset(Fact("no-gradient", name) for name in names),
            explains=frozenset({*refused, *(Fact("unmoved", name) for name in names), Fact("no-update", str(step.step.kind))}),
            kind=step.step.kind,
            step=step.step.index,
            names=names,
        )
        return


def _all_frozen(index: Index) -> Iterator[Diagnosis]:
    """Steps whose loss depends on frozen parameters alone; one diagnosis for all of them."""
    for step in index.steps:
        shaping = _shaping(index, step)
        frozen = shaping and not any(p.trainable for p in shaping) and not _trains_something_else(index, step)
        if frozen and (not _thawed(index, shaping) or _in_vain(index, step, shaping)):
            yield _about_loss(index, step, shaping)
            return


def _shaping(index: Index, step: StepIndex) -> tuple[Parameter, ...]:
    """Parameters that what this step differentiates was computed from."""
    origins = frozenset[str]().union(*(step.upstream(name) for name in ends(index, step)))
    return tuple(p for p in step.step.parameters if p.value in origins)


def _trains_something_else(index: Index, step: StepIndex) -> bool:
    """A gradient flows back to a tensor that is no parameter, an image or a latent, and an optimizer or nobody holds it."""
    if refusal(index, step) is not None:
        return False
    known = {p.value for p in step.step.parameters}
    leaves = [n for n in step.gets_gradient if n not in known and step.value(n).differentiable and _is_leaf(step, n)]
    if any(step.value(n).role == "state" for n in leaves):
        return True  # the gradient goes on into the graph of an earlier step
    # timid: without an optimizer over the parameters the gradient of the input may be all that is wanted
    return bool(leaves) and (any(o.orphans for o in index.record.optimizers) or not index.held)


def _is_leaf(step: StepIndex, name: str) -> bool:
    """Nothing made it, or the step itself did of nothing that has a gradient: zeros that are added to an image."""
    return name not in step.producer or not (any(step.producer[name][1].carrying) or name in step.depends_on_parameters)


def _thawed(index: Index, parameters: tuple[Parameter, ...]) -> bool:
    """Some of these are trainable in another step, or had a gradient or moved later in the run."""
    endings = [index.record.endings[p.name] for p in parameters if p.name in index.record.endings]
    return any(p.name in index.once(_ever_trainable) for p in parameters) or any(ending.gradient_seen for ending in endings)


def _in_vain(index: Index, step: StepIndex, parameters: tuple[Parameter, ...]) -> bool:
    """A second stage that trains nothing: the optimizer that holds them now has not made one update in the whole run."""
    holders = [o for o in index.record.optimizers if any(p.optimizer == o.name for p in parameters)]
    asked = all(any(True for _ in one.events("backward")) and not one.step.updated for one in index.kinds[step.step.kind])
    return len(holders) == 1 and not holders[0].steps and asked and all(p.optimizer for p in parameters)


def _ever_trainable(index: Index) -> frozenset[str]:
    return frozenset(p.name for step in index.steps for p in step.step.parameters if p.trainable)


def _about_loss(index: Index, step: StepIndex, frozen: tuple[Parameter, ...]) -> Diagnosis:
    event = freezing(index, frozen)
    names = tuple(p.name for p in frozen)
    refused = refusal(index, step)
    kind = str(step.step.kind)
    facts = {Fact("unmoved", name) for name in names} | {Fact("unused", name) for name in names}
    facts |= {Fact(what, kind) for what in ("constant-loss", "insensitive", "no-update", "stands")}
    held_still = any(p.gradient == "finite" for p in frozen)
    state = "have an update that is set to zero" if held_still else f"have {idiom(index, 'no gradient wanted')}"
    rows = [
        Evidence(
            f"{len(names)} of {len(names)} parameters that the loss was computed from {state}",
            "trainable_parameters",
            0,
        )
    ]
    if refused:
        facts.add(Fact("exception", refused[0]))
    chosen = chosen_at(index, event.targets) if event else None
    return Diagnosis(
        "WG305",
        "frozen-parameters",
        "error",
        "proved",
        f"nothing that shapes the loss is trainable: {_all(names)} frozen",
        site=chosen or _place(index, event, frozen),
        label=f"{'decides what is frozen:' if chosen else 'freezes'} {listed(p.name for p in frozen)}"
        if event
        else "holds frozen parameters alone",
        related=(*places((event.site if event and chosen else None, "freezes them")), *(_holders(index, names) if event else ())),
        evidence=tuple(rows),
        help=idiom(index, "unfreeze"),
        remedy=_thawed_around(index, step, event) if _still_elsewhere(index, step, frozen) else _remedy(event),
        facts=frozenset(Fact("no-gradient", name) for name in names),
        explains=frozenset(facts),
        test=moved_too(names),
        kind=step.step.kind,
        step=step.step.index,
        names=names,
    )


def _all(names: tuple[str, ...]) -> str:
    return f"all {len(names)} parameters are" if len(names) > 1 else f"`{names[0]}` is"


def _place(index: Index, event: Event | None, frozen: tuple[Parameter, ...]) -> Site | None:
    if event is not None:
        return event.site
    names = {p.name for p in frozen}
    holders = [o.site for o in index.record.optimizers if o.site and any(not names.isdisjoint(g.parameters) for g in o.groups)]
    return next(iter(holders), None) or next((p.site for p in frozen if p.site), None)


def _holders(index: Index, names: tuple[str, ...]) -> Iterator[Related]:
    for optimizer in index.record.optimizers:
        if optimizer.site and any(not set(names).isdisjoint(g.parameters) for g in optimizer.groups):
            yield Related(optimizer.site, "this optimizer is given them")


def _held_frozen(index: Index, told: set[str]) -> Iterator[Diagnosis]:
    """Optimizers that hold frozen parameters alone."""
    stepped = any(optimizer.steps for optimizer in index.record.optimizers) and not _ended_refused(index)
    for optimizer in index.record.optimizers:
        if stepped and not optimizer.steps:
            continue  # timid: it came with a copy of a model, and trains nothing in this program
        refused, held = _refused_with(index, optimizer), _held(index, optimizer)
        if refused:
            yield _about_optimizer(index, optimizer, refused, refused=True)
        elif held and _frozen(index, held) and told.isdisjoint(p.name for p in held):
            yield _about_optimizer(index, optimizer, held)


def _held(index: Index, optimizer: Optimizer) -> tuple[Parameter, ...]:
    """All parameters that an optimizer holds, if each of them is known."""
    names = _names(optimizer)
    held = tuple(p for p in index.parameters.values() if p.name in names)
    return held if len(held) == len(names) and not optimizer.orphans else ()


def _refused_with(index: Index, optimizer: Optimizer) -> tuple[Parameter, ...]:
    """What an optimizer holds, of a model that no recorded step ran, all of it frozen when the first backward of that model was refused."""
    last = index.steps[-1].step.parameters if _ended_refused(index) else ()
    own = tuple(p for p in last if p.optimizer == optimizer.name)
    return own if not optimizer.steps and len(own) == len(optimizer.orphans) and not any(p.trainable for p in own) else ()


def _ended_refused(index: Index) -> bool:
    """The program stopped since its loss had no history, with an optimizer whose parameters are known and frozen."""
    last = index.steps[-1] if index.steps else None
    return last is not None and bool(last.step.parameters) and refusal(index, last) is not None


def _names(optimizer: Optimizer) -> set[str]:
    return {name for group in optimizer.groups for name in group.parameters}


def _frozen(index: Index, held: tuple[Parameter, ...]) -> bool:
    return not any(p.trainable for p in held) and not _thawed(index, held)


def _about_optimizer(index: Index, optimizer: Optimizer, held: tuple[Parameter, ...], *, refused: bool = False) -> Diagnosis:
    event = freezing(index, held) if not refused else None
    names = tuple(p.name for p in held)
    related = (Related(optimizer.site, "this optimizer is given them"),) if event and optimizer.site else ()
    return Diagnosis(
        "WG305",
        "frozen-parameters",
        "error",
        "proved",
        f"`{optimizer.name}` has nothing to train: {_all(names)} frozen",
        site=event.site if event else optimizer.site,
        label=f"freezes {listed(names)}" if event else "holds frozen parameters alone",
        related=related,
        evidence=(
            Evidence(
                f"none of the {len(names)} parameters of `{optimizer.name}` was trainable {'when backward was refused' if refused else 'in any recorded step'}",
                "trainable_parameters",
                0,
            ),
        ),
        help=idiom(index, "unfreeze in optimizer"),
        remedy=_remedy(event),
        facts=frozenset(Fact("no-gradient", name) for name in names),
        explains=frozenset(Fact("unmoved", name) for name in names)
        | frozenset(Fact("exception", found[0]) for found in (refusal(index, index.steps[-1]) if refused else None,) if found),
        names=names,
    )


def _reversed(index: Index) -> Iterator[Diagnosis]:
    """Newly made parameters are frozen by the user while everything that is trainable was loaded."""
    known = tuple(p for p in index.parameters.values() if p.registered and p.name in index.reached)
    trainable = tuple(p for p in known if p.trainable)
    targets = {name for step in index.steps for event in step.events("freeze") for name in event.targets}
    fresh = tuple(p for p in known if not p.trainable and not p.loaded and p.name in targets and not _thawed(index, (p,)))
    if trainable and fresh and all(p.loaded for p in trainable):
        yield _about_choice(index, fresh, trainable)


def _about_choice(index: Index, fresh: tuple[Parameter, ...], trainable: tuple[Parameter, ...]) -> Diagnosis:
    event = freezing(index, fresh)
    return Diagnosis(
        "WG305",
        "frozen-parameters",
        "warning",
        "suspected",
        f"{listed(p.name for p in fresh)} {'is' if len(fresh) == 1 else 'are'} newly made and frozen, while what was loaded is trainable",
        site=event.site if event else None,
        label="freezes what was never trained",
        evidence=(
            Evidence(f"frozen, and never loaded from anywhere: {len(fresh)}", "frozen_new_parameters", len(fresh)),
            Evidence(f"trainable, and all of them loaded: {len(trainable)}", "trainable_parameters", len(trainable)),
        ),
        help="see whether the condition on the names is the wrong way round: the new layers should learn, the loaded ones may be frozen",
        facts=frozenset(Fact("no-gradient", p.name) for p in fresh),
        explains=frozenset(Fact("unmoved", p.name) for p in fresh),
        names=tuple(p.name for p in fresh),
        remedy=thawed_again(index.steps[-1], fresh, event),
    )


def _still_elsewhere(index: Index, step: StepIndex, frozen: tuple[Parameter, ...]) -> bool:
    """Steps of another kind read them, frozen, and train others, as the generator's do in an adversarial pair: there they are to stay."""
    names = {p.name for p in frozen}
    return any(
        any(p.reached and p.name in names for p in other.step.parameters) and any(p.trainable and p.reached for p in other.step.parameters)
        for other in index.steps
        if other.step.kind != step.step.kind
    )


_SWITCHED = re.compile(r"\s*([A-Za-z_][\w.]*)\.trainable\s*=\s*False\s*(#.*)?$")


def _thawed_around(index: Index, step: StepIndex, event: Event | None) -> Remedy | None:
    """A model of Keras' made trainable in front of the calls that train it itself, and frozen again behind them."""
    switched = _SWITCHED.match(event.site.text) if event is not None and event.site is not None else None
    sites = [one.site for other in index.kinds[step.step.kind] for one in other.events("backward") if one.site is not None]
    own = rf"\b{re.escape(switched[1])}\.(?:fit|train_on_batch)\(" if switched is not None else "(?!)"
    if not sites or len({(site.file, site.function) for site in sites}) > 1 or not all(re.search(own, site.text) for site in sites):
        return None
    assert switched is not None
    first, last, name = min(sites, key=lambda site: site.line), max(sites, key=lambda site: site.line), switched[1]
    return remedy(
        f"let `{name}` be trainable while it is trained itself",
        Edit("insert", first, f"{name}.trainable = True", after=False),
        Edit("insert", last, f"{name}.trainable = False"),
        changes="it is trained by these calls, and stays as it is in all others",
    )


_MAKES = re.compile(r"\s*(return\b|\w+(\s*,\s*\w+)*\s*=[^=])")
"""A line that binds a name or returns: an optimizer that is made with a part that freezes."""


def _remedy(event: Event | None) -> Remedy | None:
    """Without the line that freezes, unless it makes something that the program goes on with."""
    if event is None or event.site is None or _MAKES.match(event.site.text):
        return None
    return remedy(
        "do not freeze them",
        Edit("drop", event.site),
        changes="everything that this line froze is trained, what was meant to stay included",
    )
