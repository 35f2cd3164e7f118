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
"""Rate times gradient, relative to the parameter, from which an update must be seen: a thousand times the spacing of float32, and above that of half precision's
float16. Below it the step may be swallowed by rounding, which is WG407's."""


class Undone(NamedTuple):
    """An update that left no trace."""

    step: StepIndex
    parameters: tuple[Parameter, ...]
    put_back: Event | None
    """What overwrote the parameters afterwards."""
    moved: bool
    """The step did move them, and they were put back."""


@rule("WG417", "update-lost", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Gradient and rate are fine and the optimizer was asked to step, yet the parameters hold the same values afterwards.

    ## What it finds
    Two forms. All parameters of an optimizer move in the update and are back at their old values when the next step begins: a `load_state_dict`, an EMA swap or a
    projection in the loop puts the old values back. Or the update itself changes nothing, though rate times gradient is far above the parameters' spacing: a `step` that is overridden, or returns early.

    ## Why it matters
    Every figure that is commonly logged looks sound: loss, gradient norm, learning rate.

    ## When it is fine
    Programs that try steps and put the parameters back, such as a search for the learning rate, end with other values than they began with, or train afterwards. A single
    update that is undone is left alone.

    ## How sure
    Proved: the parameters were measured before the update, after it, and before the next one, and compared at the end of the run.

    ## References
    PyTorch, `torch.optim.Optimizer.step`; `whygrad explain WG407` for updates below the spacing of the dtype.
    """
    yield from distinct(
        _about(optimizer, undone) for optimizer in index.record.optimizers if (undone := _undone(index, optimizer)) is not None
    )


def _undone(index: Index, optimizer: Optimizer) -> Undone | None:
    held = {name for group in optimizer.groups for name in group.parameters}
    endings = [index.record.endings[name] for name in held if name in index.record.endings]
    if not endings or any(ending.changed for ending in endings):
        return None
    stepped = [s for s in index.steps if any(optimizer.name in e.targets for e in s.events("optimizer_step"))]
    return _put_back(index, stepped, optimizer) or _without_effect(stepped, optimizer)


def _put_back(index: Index, stepped: list[StepIndex], optimizer: Optimizer) -> Undone | None:
    """All parameters moved in one step and begin the next with the norms that they had before."""
    for first, second in pairwise(stepped):
        moved = [p for p in _of(first, optimizer) if finite(p.update_norm) and (p.update_norm or 0.0) > 0]
        later = {p.name: p for p in _of(second, optimizer)}
        same = [p for p in moved if p.name in later and p.norm is not None and later[p.name].norm == p.norm]
        if moved and len(same) == len(moved) and second.step.index - first.step.index == 1:
            return Undone(first, tuple(moved), _overwriting(index, first, second), moved=True)
    return None


def _overwriting(index: Index, first: StepIndex, second: StepIndex) -> Event | None:
    """A checkpoint loaded, or a write by hand, between two updates."""
    last = [moment.event for moment in index.once(timeline) if moment.step in (first, second) and moment.event.kind in ("load", "update")]
    return last[-1] if last else None


def _without_effect(stepped: list[StepIndex], optimizer: Optimizer) -> Undone | None:
    """Updates that change nothing where they should be seen."""
    idle = [(step, tuple(p for p in _of(step, optimizer) if _should_move(p, optimizer))) for step in stepped]
    still = [(step, due) for step, due in idle if due and all(p.update_norm == 0.0 for p in due)]
    return Undone(*still[0], None, moved=False) if len(still) == len(stepped) > 1 else None


def _of(step: StepIndex, optimizer: Optimizer) -> list[Parameter]:
    return [p for p in step.step.parameters if p.optimizer == optimizer.name]


def _should_move(parameter: Parameter, optimizer: Optimizer) -> bool:
    """Rate times gradient is large enough to be seen beside the parameter."""
    rate = optimizer.rates[0] if optimizer.rates else 0.0
    gradient, norm = parameter.gradient_norm, parameter.norm
    if parameter.gradient_at_update != "finite" or gradient is None or norm is None or not finite(gradient) or not finite(norm):
        return False
    return rate > 0 and rate * gradient > VISIBLE * norm


def _about(optimizer: Optimizer, found: Undone) -> Diagnosis:
    names = [p.name for p in found.parameters]
    update = next(event for event in found.step.events("optimizer_step") if optimizer.name in event.targets)
    back = found.put_back.site if found.put_back is not None else None
    elsewhere = back if place(back) != place(update.site) else None
    first = found.parameters[0]
    return Diagnosis(
        "WG417",
        "update-lost",
        "error",
        "proved",
        f"`{optimizer.name}` steps, and {plural(len(names), 'parameter')} {'is' if len(names) == 1 else 'are'} back at the old values "
        + ("when the next step begins" if found.moved else "at once"),
        site=elsewhere or update.site,
        label="puts the old values back" if elsewhere else "leaves no trace",
        related=places((update.site if elsewhere else None, "the update that is undone")),
        evidence=(
            Evidence(
                f"`{first.name}`: gradient norm {figure(first.gradient_norm)}, moved by {figure(first.update_norm)}, norm before {figure(first.norm)}, and the same at the end",
                "update_norm",
                first.update_norm,
            ),
            Evidence(
                f"after {plural(optimizer.steps, 'update')} {listed(names)} hold the values of the first recorded step",
                "updates",
                optimizer.steps,
            ),
        ),
        help="load or restore before the loop, not in it"
        if found.moved
        else f"see what replaces `{optimizer.native or optimizer.name}.step`",
        facts=frozenset(Fact("unmoved", name) for name in names),
        kind=found.step.step.kind,
        step=found.step.step.index,
        names=(optimizer.name,),
    )
