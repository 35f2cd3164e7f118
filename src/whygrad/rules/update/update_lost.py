"""WG417: the optimizer stepped on a sound gradient, and the parameter is as it was."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.timeline import place, timeline
from whygrad.ir import Event, Optimizer, Parameter
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, figure, finite, listed, places, plural

VISIBLE = 1e-4
"""Rate times gradient, relative to the parameter, from which an update must be seen: a thousand times the spacing of float32. Below it the step may be
swallowed by rounding, which is WG407's. In 161 runs of the corpus no parameter of a healthy program stood still at a rate above 0; those of the one program whose updates are lost
lie from 4.9e-4 to 1e-2."""

OFTEN = 8
"""Updates of the run, at least, in which a part of an optimizer's parameters never moved: some optimizers turn to each part only every few steps.
In 161 runs of the corpus no healthy program has such a part."""


class Undone(NamedTuple):
    """An update that left no trace."""

    step: StepIndex
    parameters: tuple[Parameter, ...]
    put_back: Event | None
    """What overwrote the parameters afterwards; None where the update itself changed nothing."""
    others: int = 0
    """Parameters of the same optimizer that the same updates did move."""


@rule("WG417", "update-lost", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Gradient and rate are fine and the optimizer was asked to step, yet the parameters hold the same values afterwards.

    ## What it finds
    Two forms. All parameters of an optimizer are back at their old values when the next step begins: a `load_state_dict`, an EMA swap or a
    copy in the loop puts the old values back. Or the update itself changes nothing, though rate times gradient is far above the parameters'
    spacing: a `step` that is overridden, or returns early. That form is found for a part of the parameters as well: an own `step` that writes to a copy of those
    whose memory is laid out another way.

    ## Why it matters
    Every figure that is commonly logged looks sound: loss, gradient norm, learning rate.

    ## When it is fine
    Programs that try several updates and put the parameters back at the end, such as a search for the learning rate; inner loops of
    meta-learning, whose start is moved by an outer update.

    ## How sure
    Proved: the parameters were measured before the update and before the next one, and what overwrote them was seen.

    ## References
    PyTorch, `torch.optim.Optimizer.step`; `whygrad explain WG407` for updates below the spacing of the dtype.
    """
    found = ((optimizer, _undone(index, optimizer)) for optimizer in index.record.optimizers)
    yield from distinct(_about(optimizer, undone) for optimizer, undone in found if undone is not None)


def _undone(index: Index, optimizer: Optimizer) -> Undone | None:
    stepped = [s for s in index.steps if any(optimizer.name in e.targets for e in s.events("optimizer_step"))]
    back = _put_back(index, stepped, optimizer)
    if back is not None:
        return back
    held = {name for group in optimizer.groups for name in group.parameters}
    endings = [index.record.endings[name] for name in held if name in index.record.endings]
    if endings and any(ending.changed for ending in endings):
        return _in_part(index, stepped, optimizer)
    return _without_effect(stepped, optimizer) if endings else None


def _in_part(index: Index, stepped: list[StepIndex], optimizer: Optimizer) -> Undone | None:
    """Some parameters that should have moved in every recorded step never did in the whole run, while others of the same optimizer did."""
    endings, rates = index.record.endings, {name: group.rate or 0.0 for group in optimizer.groups for name in group.parameters}
    still = {name for name in rates if name in endings and not endings[name].changed}
    idle = [tuple(p for p in _of(step, optimizer) if p.name in still and _left_alone(p, rates[p.name])) for step in stepped]
    always = set.intersection(*({p.name for p in found} for found in idle)) if idle else set()
    if optimizer.steps < OFTEN or len(stepped) < 2 or not always:  # noqa: PLR2004 - one step may be the first of a slow start
        return None
    parameters = tuple(p for p in idle[0] if p.name in always)
    return Undone(stepped[0], parameters, None, sum(endings[name].changed for name in rates if name in endings))


def _left_alone(parameter: Parameter, rate: float) -> bool:
    """It should have moved, and its dtype would have shown it."""
    return parameter.update_norm == 0.0 and not parameter.rounded and _large(parameter, rate)


def _put_back(index: Index, stepped: list[StepIndex], optimizer: Optimizer) -> Undone | None:
    """All parameters should have moved in one step, something overwrote them, and they begin the next with the norms that they had before."""
    for first, second in pairwise(stepped):
        later = {p.name: p for p in _of(second, optimizer)}
        due = tuple(p for p in _of(first, optimizer) if _should_move(p, optimizer))
        same = [p for p in due if p.name in later and p.norm and later[p.name].norm == p.norm]
        overwriting = _overwriting(index, first, second)
        if due and len(same) == len(due) and overwriting is not None and second.step.index - first.step.index == 1:
            return Undone(first, due, overwriting)
    return None


def _overwriting(index: Index, first: StepIndex, second: StepIndex) -> Event | None:
    """A checkpoint loaded, or a write by hand, after the update of one step and before that of the next."""
    moments = [moment for moment in index.once(timeline) if moment.step in (first, second)]
    updates = [at for at, moment in enumerate(moments) if moment.event.kind == "optimizer_step"]
    between = moments[updates[0] + 1 : updates[-1]] if updates else []
    return next((moment.event for moment in between if moment.event.kind in ("load", "update")), None)


def _without_effect(stepped: list[StepIndex], optimizer: Optimizer) -> Undone | None:
    """Updates that change nothing where they should be seen."""
    idle = [(step, tuple(p for p in _of(step, optimizer) if _should_move(p, optimizer))) for step in stepped]
    still = [(step, due) for step, due in idle if due and all(p.update_norm == 0.0 for p in due)]
    return Undone(*still[0], None) if len(still) == len(stepped) > 1 else None


def _of(step: StepIndex, optimizer: Optimizer) -> list[Parameter]:
    return [p for p in step.step.parameters if p.optimizer == optimizer.name]


def _should_move(parameter: Parameter, optimizer: Optimizer) -> bool:
    """Rate times gradient is large enough to be seen beside the parameter."""
    return _large(parameter, optimizer.rates[0] if optimizer.rates else 0.0)


def _large(parameter: Parameter, rate: float) -> bool:
    gradient, norm = parameter.gradient_norm, parameter.norm
    if parameter.gradient_at_update != "finite" or gradient is None or norm is None or not finite(gradient) or not finite(norm):
        return False
    return rate > 0 and rate * gradient > VISIBLE * norm


def _about(optimizer: Optimizer, found: Undone) -> Diagnosis:
    names = [p.name for p in found.parameters]
    update = next(event for event in found.step.events("optimizer_step") if optimizer.name in event.targets)
    back = found.put_back.site if found.put_back is not None else None
    elsewhere = back if place(back) != place(update.site) else None
    own = optimizer.writes_site if found.others else None
    rest = f", while {plural(found.others, 'other parameter')} of it {'moves' if found.others == 1 else 'move'}" if found.others else ""
    first = found.parameters[0]
    return Diagnosis(
        "WG417",
        "update-lost",
        "error",
        "proved",
        f"`{optimizer.name}` steps, and {listed(names)} {'is' if len(names) == 1 else 'are'} as before when the next step begins{rest}",
        site=elsewhere or own or update.site,
        label="puts the old values back" if elsewhere else "leaves no trace",
        related=places(
            (update.site if elsewhere else None, "the update that is undone"),
            (update.site if own else None, "the update is asked for here"),
        ),
        evidence=(
            Evidence(
                f"`{first.name}`: gradient norm {figure(first.gradient_norm)}, norm {figure(first.norm)} before the update and, to the last digit, after it",
                "norm",
                first.norm,
            ),
            Evidence(f"so in consecutive steps, {plural(optimizer.steps, 'update')} in the whole run", "updates", optimizer.steps),
        ),
        help="load or restore before the loop, not in it"
        if found.put_back
        else "see whether a copy is written to: `contiguous()`, `reshape` and `to` give one where the memory is laid out another way; write to the parameter itself"
        if found.others
        else f"see what replaces `{optimizer.native or optimizer.name}.step`",
        facts=frozenset(Fact("unmoved", name) for name in names),
        kind=found.step.step.kind,
        step=found.step.step.index,
        names=(optimizer.name,),
    )
