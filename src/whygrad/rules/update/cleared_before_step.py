"""WG404: gradients are cleared between the backward and the update."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.timeline import UPDATES, moves, ops_between, place, reads_gradients
from whygrad.idioms import idiom
from whygrad.ir import Event, Parameter
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, figure, finite, listed, places, plural
from whygrad.rules.remedies import moved as moving
from whygrad.rules.remedies import remedy
from whygrad.rules.update.unheld import moved_too


@dataclass(frozen=True, slots=True)
class Lost:
    """A clearing that comes too early or too late, and the parameters whose gradients it threw away."""

    backward: Event
    clear: Event
    update: Event
    parameters: tuple[Parameter, ...]
    step_first: bool = False
    """The update came before the backward, and the next clearing after it."""


@rule("WG404", "cleared-before-step", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Gradients are calculated, cleared, and only then is the optimizer asked to step.

    ## What it finds
    A `zero_grad` (or a gradient set to None by hand) between the backward and the update of the same parameters, so that the update finds
    none. The same of gradients that the program writes itself, `p.grad = …`. Also, where several backwards of one line are meant to add up before an update, a clearing between each two of them, so that the update finds the
    last one's alone.

    ## Why it matters
    The optimizer steps on nothing. With plain gradient descent no parameter moves; with momentum or weight decay some move, but not by
    what the labels say.

    ## When it is fine
    Clearing the gradients that one network's backward left in another, before that other one's own backward, is right: a gradient is
    there again when the update comes. So is clearing between two backwards where the parameters were changed in between (sharpness-aware
    minimisation) or where the program has read the gradients first (clipping for each example, gradient surgery). A few parameters by name, whose gradients
    are dropped for a while so that they learn later, are left alone as well: the update finds the others' gradients, and in the end these have moved too.

    ## How sure
    Proved by the order of the events and by the gradients' state, measured after the backward and as the update began.

    ## References
    PyTorch, `torch.optim`: `zero_grad`, `backward`, `step`, in this order; `whygrad explain WG403` for not clearing at all.
    """
    yield from distinct(
        diagnosis(index, step, found)
        for step in index.steps
        for found in (*thrown_away(step), *stepped_first(index, step))
        if not held_back(index, step, found)
    )
    yield from distinct(_partly(index, *found) for found in _accumulations(index))


def thrown_away(step: StepIndex) -> Iterator[Lost]:
    """Clearings after a backward that no other backward makes good before the update."""
    emptied = {
        p.name: p for p in step.step.parameters if p.gradient in ("finite", "non-finite") and p.gradient_at_update in ("none", "zero")
    }
    backward: Event | None = None
    clears: list[Event] = []
    by_hand = not any(step.events("backward"))
    for event in step.step.events if emptied else ():
        if event.kind == "backward" or (by_hand and event.kind == "assign"):
            backward, clears = event, []
        elif event.kind == "clear" and backward:
            clears.append(event)
        elif event.kind in ("optimizer_step", "update") and backward:
            yield from _between(backward, clears, event, emptied)
            clears = []


def held_back(index: Index, step: StepIndex, found: Lost) -> bool:
    """The update finds the gradients of others, and at the end of the run these parameters have moved as well: they were held back for a while."""
    endings = index.record.endings
    others = any(p.gradient_at_update in ("finite", "non-finite") and concerns(found.update, p) for p in step.step.parameters)
    return others and all(p.name in endings and endings[p.name].changed and endings[p.name].gradient_seen for p in found.parameters)


def stepped_first(index: Index, step: StepIndex) -> Iterator[Lost]:
    """Updates that come before the backward whose gradients are cleared afterwards, by which nothing ever moved."""
    still = [p for p in step.step.parameters if p.name in index.record.endings and not index.record.endings[p.name].changed]
    emptied = {p.name: p for p in still if p.gradient in ("finite", "non-finite") and p.gradient_at_update in ("none", "zero")}
    update: Event | None = None
    backward: Event | None = None
    for event in step.step.events if emptied else ():
        if event.kind in ("optimizer_step", "update"):
            update, backward = event, None
        elif event.kind == "backward" and update:
            backward = event
        elif event.kind == "clear" and update and backward:
            yield from (replace(found, step_first=True) for found in _between(backward, [event], update, emptied))
            update = None


def _between(backward: Event, clears: list[Event], update: Event, emptied: dict[str, Parameter]) -> Iterator[Lost]:
    """Of these clearings, those that took what this update was to use."""
    for clear in clears:
        mine = tuple(emptied[name] for name in clear.targets if name in emptied and concerns(update, emptied[name]))
        if mine:
            yield Lost(backward, clear, update, mine)


def concerns(update: Event, parameter: Parameter) -> bool:
    """The update is this parameter's."""
    return parameter.name in update.targets if update.kind == "update" else parameter.optimizer in update.targets or not update.targets


def diagnosis(index: Index, step: StepIndex, found: Lost) -> Diagnosis:
    """What is said, at the line that clears."""
    names = [parameter.name for parameter in found.parameters]
    norms = [p.gradient_norm for p in found.parameters if p.gradient_norm is not None and finite(p.gradient_norm)]
    before = f" (norm {figure(max(norms))})" if norms else ""
    others = f"; so did {len(names) - 1} more" if len(names) > 1 else ""
    left = "zero" if found.parameters[0].gradient_at_update == "zero" else "None"
    if found.step_first:
        return misplaced(step, found)
    source = "the assignment" if found.backward.kind == "assign" else "the backward"
    who = found.update.targets[0] if found.update.kind == "optimizer_step" and found.update.targets else ""
    return Diagnosis(
        rule="WG404",
        name="cleared-before-step",
        severity="error",
        confidence="proved",
        message=f"gradients of {plural(len(names), 'parameter')} are cleared between {source} and the step",
        site=found.clear.site or found.update.site,
        label=f"throws away what {source} has calculated" if source == "the backward" else "throws away what was written",
        related=places(
            (found.backward.site, "the gradients are calculated here" if source == "the backward" else "the gradients are written here"),
            (found.update.site, "and would be used here"),
        ),
        evidence=(
            Evidence(
                f"`{names[0]}` had a gradient after {source}{before}, and {left} when the update began{others}",
                "parameters",
                len(names),
            ),
        ),
        help=f"move this line before {source}, or after {idiom(index, 'the step', optimizer=who) if who else 'the update'}",
        facts=frozenset(Fact("cleared", name) for name in names),
        explains=frozenset({Fact("no-update", str(step.step.kind)), *(Fact("unmoved", name) for name in names)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(listed(names).replace("`", ""),),
        test=moved_too(names),
        remedy=_after_the_step(step, found),
    )


_STEP = re.compile(r"\s*([A-Za-z_][\w.]*)\.step\(")


def _after_the_step(step: StepIndex, found: Lost) -> Remedy | None:
    """The clearing behind the step; where the two stand in different functions it goes, and the step is followed by one, if there is no other."""
    stepping = _STEP.match(found.update.site.text) if found.update.site is not None else None
    early = [event for event in step.events("clear") if event.site and place(event.site) != place(found.clear.site)]
    others = {place(event.site) for event in early if set(found.clear.targets) <= set(event.targets)}
    instead = [Edit("drop", found.clear.site)] if found.clear.site and (others or stepping) else []
    if not others and stepping and found.update.site:
        instead.append(Edit("insert", found.update.site, f"{stepping[1]}.zero_grad()"))
    if not stepping and (later := _postponed(found)) is not None:
        return remedy("clear after the step", later)
    return remedy("clear after the step", moving(found.clear.site, found.update.site), otherwise=instead)


def _postponed(found: Lost) -> Edit | None:
    """The clearing of sums of the program's own behind the update that is to use them, or behind the call that leads to it."""
    clear, ways = found.clear.site, found.update.site.with_callers if found.update.site else ()
    behind = next((way for way in ways if clear and (way.file, way.function) == (clear.file, clear.function)), None)
    return Edit("postpone", clear, to=behind, around="alone") if clear and behind else None


def misplaced(step: StepIndex, found: Lost) -> Diagnosis:
    """The step stands before the backward of its loss."""
    names = [parameter.name for parameter in found.parameters]
    return Diagnosis(
        rule="WG404",
        name="cleared-before-step",
        severity="error",
        confidence="proved",
        message=f"the step comes before the backward, and the gradients of {plural(len(names), 'parameter')} are cleared before the next one",
        site=found.update.site or found.backward.site,
        label="finds no gradients",
        related=places((found.backward.site, "they are calculated here, afterwards"), (found.clear.site, "and thrown away here")),
        evidence=(
            Evidence(
                f"{listed(names)} had no gradient when the update began, and the same values at the end as at the first recorded step"
            ),
        ),
        help="move this line behind the backward",
        facts=frozenset(Fact("cleared", name) for name in names),
        explains=frozenset({Fact("no-update", str(step.step.kind)), *(Fact("unmoved", name) for name in names)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(listed(names).replace("`", ""),),
        test=moved_too(names),
        remedy=remedy("step after the backward", moving(found.update.site, found.backward.site)),
    )


def _accumulations(index: Index) -> Iterator[tuple[StepIndex, tuple[Event, ...], Event]]:
    """Steps of several backwards of one line that are cleared in between, if every step of that kind is like that."""
    for steps in index.kinds.values():
        updated = [step for step in steps if step.step.updated]
        found = [(step, *pair) for step in updated if (pair := _cleared_in_between(step)) is not None]
        if found and len(found) == len(updated):
            yield found[0]


def _cleared_in_between(step: StepIndex) -> tuple[tuple[Event, ...], Event] | None:
    """The backwards of one line before the update, and the first clearing between two of them; None unless there is one between each two."""
    events = step.step.events
    last = next((at for at in range(len(events) - 1, -1, -1) if moves(step, events[at])), -1)
    before = [at for at in range(last) if events[at].kind == "backward" and not events[at].attributes.get("failed")]
    row = [at for at in before if place(events[at].site) == place(events[before[-1]].site) and events[at].site is not None]
    clears = [_clear_between(step, first, second) for first, second in pairwise(row)]
    if not clears or not all(clears):
        return None
    return tuple(events[at] for at in row), next(clear for clear in clears if clear is not None)


def _clear_between(step: StepIndex, first: int, second: int) -> Event | None:
    """A clearing between two backwards that throws away what the first left for the update."""
    events = step.step.events
    between = events[first + 1 : second]
    clear = next((event for event in between if event.kind == "clear"), None)
    # timid: an update that a gradient scaler declined was to use them
    if clear is None or any(event.kind in (*UPDATES, "skipped") for event in between):
        return None
    # timid: what reads the gradients before they go may add them up itself
    return None if reads_gradients(step, ops_between(step, events[first], clear)) or not _taken(step, clear) else clear


def _taken(step: StepIndex, clear: Event) -> list[str]:
    """Of what was cleared, the parameters that have a gradient and that an update of this step moves."""
    updates = list(step.events(*UPDATES))
    with_gradient = (p for p in step.step.parameters if p.name in clear.targets and p.gradient != "none")
    return [p.name for p in with_gradient if any(concerns(update, p) for update in updates)]


def _partly(index: Index, step: StepIndex, backwards: tuple[Event, ...], clear: Event) -> Diagnosis:
    """What is said where the backwards were meant to add up."""
    names = _taken(step, clear)
    update = next(event for event in reversed(step.step.events) if moves(step, event))
    return Diagnosis(
        rule="WG404",
        name="cleared-before-step",
        severity="error",
        confidence="proved",
        message=f"of {len(backwards)} backwards before each update only the last counts: gradients are cleared between them",
        site=clear.site or update.site,
        label="clears what the backwards before have added up",
        related=places((backwards[0].site, "the gradients are calculated here"), (update.site, "and used here, the last one's alone")),
        evidence=(
            Evidence(
                f"in each recorded step {plural(len(backwards), 'backward')} of one line, a clearing of {listed(names)} between each two, and one update",
                "backwards",
                len(backwards),
            ),
        ),
        help=f"clear once for each update: move this line after {idiom(index, 'the step', optimizer=update.targets[0])}"
        if update.kind == "optimizer_step" and update.targets
        else "clear once for each update, after it",
        facts=frozenset(Fact("cleared", name) for name in names),
        kind=step.step.kind,
        step=step.step.index,
        names=(listed(names).replace("`", ""),),
        remedy=remedy("clear once for each update, after it", moving(clear.site, update.site)),
    )
