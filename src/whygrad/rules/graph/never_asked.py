"""Runs that compute a loss for every step and never ask for a gradient: tracked, the loss is dropped (WG308); untracked, tracking was off all along (WG303)."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Related, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.frontier import switched_off
from whygrad.flow.starved import meant
from whygrad.idioms import speaks_torch
from whygrad.ir import Event, Op, Site
from whygrad.loss_contracts import contract_of, input_of, target_of
from whygrad.rules.graph.starvation import Words
from whygrad.rules.phrases import listed, plural
from whygrad.rules.remedies import in_front, remedy
from whygrad.rules.statements import bound

ENOUGH = 2
"""Steps that must have gone by without a gradient: a look at one batch steps or clears once."""


@dataclass(frozen=True, slots=True)
class Unasked:
    """A loss that the parameters of an optimizer shape, in a run without a backward."""

    step: StepIndex
    op: Op
    names: tuple[str, ...]
    switch: Site | None


def unasked(index: Index) -> Unasked | None:
    """The last loss that such a run computed; None where gradients were asked for, or no training was meant."""
    outcome = index.record.outcome
    steps = max((optimizer.steps for optimizer in index.record.optimizers), default=0)
    if outcome.backwards_seen or outcome.exception is not None or max(steps, outcome.cleared) < ENOUGH or not speaks_torch(index):
        return None
    # timid: gradients that the program writes itself, as evolution strategies do, are no backward
    if any(parameter.gradient_at_update in ("finite", "non-finite") for step in index.steps for parameter in step.step.parameters):
        return None
    found = [one for step in index.steps for at in range(len(step.graph.ops)) if (one := _loss(index, step, at)) is not None]
    return found[-1] if found else next((one for step in reversed(index.steps) if (one := _written(index, step)) is not None), None)


def _loss(index: Index, step: StepIndex, at: int) -> Unasked | None:
    """The op as a loss of what an optimizer's parameters make, compared with what they do not make."""
    op = step.graph.ops[at]
    given, target = input_of(op), target_of(op)
    if contract_of(op) is None or given is None or target is None or target in step.depends_on_parameters or op.failed:
        return None
    names = _shaping(index, step, given)
    return Unasked(step, op, names, _switch(step, at)) if names else None


def _written(index: Index, step: StepIndex) -> Unasked | None:
    """The last number that such a step came to, of an optimizer's parameters and of something else, as a loss that is written by hand."""
    for op in reversed(step.graph.ops):
        made = step.value(op.output) if op.outputs else None
        if made is None or made.shape != () or not op.tracking or not any(op.carrying) or made.name not in step.depends_on_parameters:
            continue
        names = _shaping(index, step, made.name)
        return Unasked(step, op, names, None) if names else None
    return None


def _shaping(index: Index, step: StepIndex, name: str) -> tuple[str, ...]:
    """The parameters meant to be trained that a value was computed from."""
    above, wanted = step.upstream(name), index.once(meant)
    return tuple(p.name for p in step.step.parameters if p.name in wanted and p.value in above)


def _switch(step: StepIndex, at: int) -> Site | None:
    event = step.once(switched_off).get(at)
    return event.site if isinstance(event, Event) else None


def never_differentiated(index: Index) -> Iterator[Diagnosis]:
    """WG308: the loss could be differentiated, and nothing does."""
    found = index.once(unasked)
    if found is not None and found.op.tracking:
        words = Words(
            "WG308",
            "discarded-result",
            "the loss is computed in every step and never differentiated: the run asks for no gradient",
            found.op.site,
            "nothing is differentiated from this",
            "call `backward()` on it, with the parentheses, before the optimizer steps",
            severity="warning",
            remedy=_called(found),
        )
        yield _diagnosis(index, found, words)


def never_tracked(index: Index) -> Iterator[Diagnosis]:
    """WG303: the loss of every step was computed with tracking off, and nothing asked for a gradient."""
    found = index.once(unasked)
    # timid: without the line that switches it off it can't be told whether the program meant to train at all
    if found is not None and not found.op.tracking and found.switch is not None:
        words = Words(
            "WG303",
            "gradient-disabled",
            f"every loss of the run is computed with gradient tracking off, and no gradient is asked for: {listed(found.names)} never {'moves' if len(found.names) == 1 else 'move'}",
            found.switch,
            "tracking is off from here",
            "look at the condition of this line: while training it must be true, and so must the one that the backward stands under"
            if "set_grad_enabled" in found.switch.text
            else "compute the training loss outside of this, and differentiate it",
            (Related(found.op.site, "the loss is computed without tracking here"),) if found.op.site else (),
        )
        yield _diagnosis(index, found, words)


def _diagnosis(index: Index, found: Unasked, words: Words) -> Diagnosis:
    steps = max((optimizer.steps for optimizer in index.record.optimizers), default=0)
    done = "an optimizer was asked to step" if steps else "gradients were cleared for another step"
    count, kinds = steps or index.record.outcome.cleared, [str(kind) for kind in index.kinds]
    still = (Fact(what, name) for name in found.names for what in ("no-gradient", "unmoved"))
    return Diagnosis(
        words.rule,
        words.name,
        words.severity,
        "proved",
        words.because,
        site=words.site,
        label=words.label,
        related=words.related,
        evidence=(
            Evidence(f"{done} {plural(count, 'time')}, and no backward ran in the whole program", "backwards", 0),
            Evidence(
                f"{plural(len(found.names), 'parameter')} that the loss is computed from had no gradient", "parameters", len(found.names)
            ),
        ),
        help=words.help,
        facts=frozenset({Fact("no-backward", kind) for kind in kinds}),
        explains=frozenset((*still, *(Fact(what, kind) for kind in kinds for what in ("stands", "no-update")))),
        kind=found.step.step.kind,
        step=found.step.step.index,
        names=found.names,
        remedy=words.remedy,
    )


def _called(found: Unasked) -> Remedy | None:
    """The backward in front of the step, where the loss has a name in the function that steps."""
    made, step = found.op.site, next((event.site for event in found.step.events("optimizer_step")), None)
    name = bound(made)
    if made is None or step is None or not name or (made.file, made.function) != (step.file, step.function):
        return None
    return remedy(f"run the backward of `{name}`", in_front(step, f"{name}.backward()"))
