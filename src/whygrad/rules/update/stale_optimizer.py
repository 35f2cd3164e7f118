"""WG402: the optimizer holds tensors that the model no longer uses."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.idioms import idiom
from whygrad.ir import Optimizer, Parameter
from whygrad.rules import rule
from whygrad.rules.phrases import listed, places, plural
from whygrad.rules.update.unheld import forgotten, modules_of, stands_still


@rule("WG402", "stale-optimizer", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The optimizer was made from parameters that have since been replaced, and updates tensors that no model uses.

    ## What it finds
    An optimizer with tensors that no model in the run has, while parameters that get a gradient are held by none: the layer or the whole
    model was made anew, copied, or replaced after `optim.SGD(model.parameters())` had run.

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
    lost = [parameter for parameter in forgotten(index) if stands_still(index, parameter)]
    for optimizer in index.record.optimizers:
        if optimizer.orphans and lost:
            yield diagnosis(index, optimizer, lost)
        elif lost and (twins := displaced(index, optimizer, lost)):
            yield later_diagnosis(index, optimizer, lost, twins)


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
    return Diagnosis(
        rule="WG402",
        name="stale-optimizer",
        severity="error",
        confidence="proved",
        message=f"`{optimizer.name}` goes on updating {plural(len(held), 'parameter')} that the forward does not read: it reads {listed(modules_of(index, lost))}",
        site=optimizer.site,
        label="made from parameters that this training does not use",
        related=places((lost[0].site, "what the forward reads was made here")),
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
            {*(Fact(what, name) for what in ("unheld", "unmoved") for name in names), *(Fact("no-gradient", p.name) for p in held)}
        ),
        names=(optimizer.name,),
    )


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
        explains=frozenset({*(Fact(what, name) for what in ("unheld", "unmoved") for name in names), *idle}),
        names=(optimizer.name, *modules),
    )


def names_in_order(lost: list[Parameter]) -> Iterator[str]:
    """Names as the model lists them."""
    return (parameter.name for parameter in lost)


def moved(parameters: tuple[Parameter, ...]) -> Iterator[str]:
    """Parameters that an update changed."""
    return (parameter.name for parameter in parameters if parameter.update_norm)
