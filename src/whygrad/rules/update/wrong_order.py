"""WG414: the right calls in the wrong order."""

import re
from collections.abc import Iterator
from math import hypot, isfinite

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.timeline import UPDATES, Moment, place, timeline
from whygrad.idioms import idiom
from whygrad.ir import Event, Parameter, Site
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, figure, listed, places, plural
from whygrad.rules.remedies import in_front, remedy, unseen
from whygrad.rules.remedies import moved as moving
from whygrad.rules.update.cut_updates import cut_updates

SWITCHES = {"freeze": "freezes", "unfreeze": "unfreezes"}
"""Changes of `trainable`, and what they do."""
FEW = 2
"""Updates without a gradient that are needed to say that it is the order: the first update of a loop may come before the first backward."""


@rule("WG414", "wrong-order", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The step's calls are all there, in an order in which one of them has nothing to work on.

    ## What it finds
    An optimizer that steps before the backward, on gradients that were just cleared; clipping before the backward, or after the update; clipping before the
    gradient scaler has unscaled; a scheduler that steps before the first update. In an optax chain, clipping behind the whole optimizer, in steps whose gradients were above the limit while
    no update was, or where it cuts each whole update to less than a hundredth and the loss stands still. In Keras, `trainable` that is changed after `compile` and a first `fit`.

    ## Why it matters
    Nothing is raised. An update before the backward finds no gradient and moves nothing. A clipping at the wrong place limits nothing, or limits scaled
    gradients to almost nothing. A scheduler that goes first skips the first rate of the schedule.

    ## When it is fine
    `step`, `zero_grad`, `backward` in this order uses each gradient one forward later; only the first update finds none, and that is left alone. A scheduler's constructor
    takes a step of its own.

    ## How sure
    Proved by the order of the recorded events, and by what the updates found. That a clipping behind the optimizer holds the training up is measured: without it, a few updates on copies of the
    parameters must lower the loss at least twice as far.

    ## References
    PyTorch, `torch.optim`: "Taking an optimization step" and "How to adjust learning rate"; "Automatic mixed precision examples: gradient clipping".
    """
    yield from distinct(_too_early(index))
    yield from distinct(_useless_clips(index))
    yield from distinct(_clipped_updates(index))
    yield from distinct(_scheduler_first(index))
    yield from distinct(
        _about_switch(index, step, event)
        for step in index.steps
        for event in step.events(*SWITCHES)
        if event.attributes.get("late") is True
    )


def _about_switch(index: Index, step: StepIndex, event: Event) -> Diagnosis:
    """`trainable` was changed after the step had been compiled, which goes on as before."""
    thawed, count = event.kind == "unfreeze", len(event.targets)
    still = [name for name in event.targets if name in index.record.endings and not index.record.endings[name].changed]
    stays = f"{'stays' if count == 1 else 'stay'} frozen" if thawed else f"{'goes' if count == 1 else 'go'} on being trained"
    return Diagnosis(
        "WG414",
        "wrong-order",
        "error",
        "proved",
        f"`trainable` is changed after the step was compiled, which does not see it: {listed(event.targets)} {stays}",
        site=event.site,
        label=f"{SWITCHES[event.kind]} {listed(event.targets)} too late",
        evidence=(
            Evidence(
                f"the step that was compiled before goes on with the variables of that time; this changes {plural(count, 'parameter')}",
                "parameters",
                count,
            ),
            *(
                (
                    Evidence(
                        f"{listed(still)} {'holds' if len(still) == 1 else 'hold'} the same values at the end as at the first recorded step",
                        "unmoved",
                        len(still),
                    ),
                )
                if thawed and still
                else ()
            ),
        ),
        help="call `compile` again after changing `trainable`",
        remedy=remedy(
            "compile again behind it",
            Edit("repeat", event.site, calls=("compile",)) if event.site else None,
            changes="the optimizer begins anew, with nothing gathered",
        ),
        explains=frozenset(Fact(what, name) for name in event.targets for what in ("unmoved", "no-gradient", "unheld")),
        kind=step.step.kind,
        step=step.step.index,
        names=event.targets,
    )


def _too_early(index: Index) -> Iterator[Diagnosis]:
    """Optimizers all of whose recorded updates come before the backward and find no gradient."""
    for optimizer in index.record.optimizers:
        moments = [m for m in index.once(timeline) if m.event.kind == "optimizer_step" and optimizer.name in m.event.targets]
        empty = [(m, names) for m in moments if (names := _found_nothing(m.step, optimizer.name))]
        late = [_backward_after(moment) for moment, _ in empty]
        if len(moments) >= FEW and len(empty) == len(moments) and all(late) and late[0] is not None:
            yield _about_step(index, optimizer.name, empty[0][0], late[0], len(moments), empty[0][1])


def _found_nothing(step: StepIndex, optimizer: str) -> tuple[Parameter, ...]:
    """The parameters of an optimizer that got a gradient in this step, if the update found one on none of them."""
    held = [p for p in step.step.parameters if p.optimizer == optimizer and p.trainable]
    if any(p.gradient_at_update not in ("none", "zero") for p in held):
        return ()
    return tuple(p for p in held if p.gradient in ("finite", "non-finite"))


def _backward_after(moment: Moment) -> Event | None:
    """The backward that follows an update in its step, if none came before it."""
    events = moment.step.step.events
    at = next(at for at, event in enumerate(events) if event is moment.event)
    if any(event.kind == "backward" for event in events[:at]):
        return None
    return next((event for event in events[at:] if event.kind == "backward"), None)


def _about_step(index: Index, name: str, moment: Moment, backward: Event, count: int, starved: tuple[Parameter, ...]) -> Diagnosis:
    names, called = [p.name for p in starved], _variable(moment.event.site) or name
    return Diagnosis(
        "WG414",
        "wrong-order",
        "error",
        "proved",
        f"`{called}` steps before the backward, when there is no gradient",
        site=moment.event.site or backward.site,
        label="comes before the backward",
        related=places((backward.site, "the gradients are calculated here, after the update")),
        evidence=(
            Evidence(f"in {count} of {count} recorded updates no parameter had a gradient when the update began", "updates", count),
            Evidence(f"{listed(names)} got theirs afterwards, in the same step", "parameters", len(names)),
        ),
        help=f"move {idiom(index, 'the step', optimizer=called)} after the backward",
        explains=frozenset({Fact("no-update", str(moment.step.step.kind))})
        | {Fact(what, parameter) for parameter in names for what in ("unmoved", "cleared")},
        kind=moment.step.step.kind,
        step=moment.step.step.index,
        names=(name,),
        remedy=remedy(f"step `{called}` after the backward", moving(moment.event.site, backward.site)),
    )


def _variable(site: Site | None) -> str:
    """The variable that the line steps."""
    found = re.match(r"\s*([A-Za-z_][\w.]*)\.step\(", site.text) if site is not None else None
    return found[1] if found else ""


def _useless_clips(index: Index) -> Iterator[Diagnosis]:
    """Clippings of gradients that are not there yet, have been used already, or are still scaled."""
    moments = index.once(timeline)
    clips = [at for at, moment in enumerate(moments) if moment.event.kind == "clip"]
    by_place: dict[object, list[int]] = {}
    for at in clips:
        by_place.setdefault(place(moments[at].event.site), []).append(at)
    for group in by_place.values():
        wrong = [why for at in group if (why := why_useless(moments, at))]
        if len(wrong) == len(group) and len(set(wrong)) == 1:
            unscaled = next((m.event.site for m in moments[group[0] :] if m.event.kind == "unscale"), None)
            yield _about_clip(moments[group[0]], wrong[0], len(group), _unscaled_first(moments[group[0]].event.site, unscaled))


def why_useless(moments: tuple[Moment, ...], at: int) -> str:
    """`early`, `late` or `scaled`; "" for a clipping between backward and update, as it should be."""
    before = next((m.event.kind for m in reversed(moments[:at]) if m.event.kind in ("backward", "clear", "unscale", *UPDATES)), "")
    after = next((m.event.kind for m in moments[at + 1 :] if m.event.kind in ("backward", "clear", "unscale", *UPDATES)), "")
    if before == "backward" and after == "unscale":
        return "scaled"
    if before in UPDATES and after == "clear":
        return "late"
    return "early" if before == "clear" and after == "backward" else ""


def _clipped_updates(index: Index) -> Iterator[Diagnosis]:
    """A clipping behind the whole optimizer in a chain, which limits no update, in steps whose gradients were above the limit."""
    moments = [m for m in index.once(timeline) if m.event.kind == "clip" and m.event.attributes.get("after")]
    by_place: dict[object, list[Moment]] = {}
    for moment in moments:
        by_place.setdefault(place(moment.event.site), []).append(moment)
    for group in by_place.values():
        sizes = [(_over(m, "gradient_norm"), _over(m, "update_norm")) for m in group]
        # timid: where the limit bites, or no gradient reaches it, updates may be limited on purpose
        if any(gradient > 1 for gradient, _ in sizes) and all(0 < update < 1 for _, update in sizes):
            yield _about_clipped_update(group, max(gradient for gradient, _ in sizes), max(update for _, update in sizes))
    yield from cut_updates(index)


def _over(moment: Moment, what: str) -> float:
    """How many times the limit the norm of all gradients, or of all updates, was that the clipping is meant for; 0 where that is unknown."""
    limit = moment.event.attributes.get("limit")
    found = [getattr(p, what) for p in moment.step.step.parameters if p.name in moment.event.targets]
    sizes = [size for size in found if size is not None and isfinite(size)]
    return hypot(*sizes) / limit if sizes and len(sizes) == len(found) and isinstance(limit, float) and limit > 0 else 0.0


def _about_clipped_update(group: list[Moment], gradient: float, update: float) -> Diagnosis:
    event, rule = group[0].event, group[0].event.attributes.get("after")
    limit = event.attributes["limit"]
    assert isinstance(limit, float)
    return Diagnosis(
        "WG414",
        "wrong-order",
        "warning",
        "proved",
        f"the clipping comes after `{rule}` in the chain: it gets updates, not gradients, and limits nothing",
        site=event.site,
        label=f"comes after `{rule}`",
        evidence=(
            Evidence(
                f"the norm of the gradient was up to {figure(gradient * limit)}, above the limit of {figure(limit)}; what reaches the clipping was at most {figure(update * limit)}",
                "norm",
                gradient * limit,
            ),
        ),
        help=f"put the clipping in front of `{rule}` in the chain",
        remedy=remedy("clip the gradients, before the optimizer", Edit("lead", event.site)) if event.site else None,
        kind=group[0].step.step.kind,
        step=group[0].step.step.index,
        names=("updates",),
    )


_CLIPS = {
    "early": (
        "gradients are clipped before the backward, when there are none",
        "clips what is not there yet",
        "move the clipping between the backward and the update",
    ),
    "late": (
        "gradients are clipped after the update has used them",
        "clips what has been used already",
        "move the clipping between the backward and the update",
    ),
    "scaled": (
        "gradients are clipped while they are still scaled",
        "clips gradients that the scaler has multiplied",
        "call `scaler.unscale_(optimizer)` before the clipping",
    ),
}


_SCALER_STEP = re.compile(r"\s*([A-Za-z_][\w.]*)\.step\(([A-Za-z_][\w.]*)\)")


def _unscaled_first(clip: Site | None, step: Site | None) -> Remedy | None:
    """The gradients brought to their own size in front of the clipping, in the names of the line where the scaler steps."""
    written = _SCALER_STEP.match(step.text) if step is not None else None
    if clip is None or step is None or written is None or (clip.file, clip.function) != (step.file, step.function):
        return None
    return remedy("unscale the gradients before the clipping", in_front(clip, f"{written[1]}.unscale_({written[2]})"))


def _about_clip(moment: Moment, why: str, count: int, fix: Remedy | None) -> Diagnosis:
    message, label, advice = _CLIPS[why]
    norm, limit = moment.event.attributes.get("norm"), moment.event.attributes.get("limit")
    figures = f" (norm {figure(norm)}, limit {figure(limit)})" if isinstance(norm, float) and isinstance(limit, float) else ""
    return Diagnosis(
        "WG414",
        "wrong-order",
        "warning",
        "proved",
        message,
        site=moment.event.site,
        label=label,
        evidence=(Evidence(f"so in {plural(count, 'recorded clipping')}{figures}", "clippings", count),),
        help=advice,
        kind=moment.step.step.kind,
        step=moment.step.step.index,
        names=(why,),
        remedy=fix if why == "scaled" else None,
    )


def _scheduler_first(index: Index) -> Iterator[Diagnosis]:
    """A scheduler that steps before its optimizer's first update."""
    first = index.steps[0] if index.steps and index.steps[0].step.index == 0 else None
    updates = [event for event in first.events("optimizer_step") if event.targets] if first is not None else []
    if first is None or not updates:
        return
    begun = next(at for at, event in enumerate(first.step.events) if event is updates[0])
    for event in first.step.events[:begun]:
        # timid: a scheduler's constructor steps as well, at a line that makes it
        if event.kind == "scheduler_step" and set(event.targets) & set(updates[0].targets) and event.site and ".step(" in event.site.text:
            yield _about_scheduler(index, first, event, updates[0])


def _about_scheduler(index: Index, step: StepIndex, event: Event, update: Event) -> Diagnosis:
    return Diagnosis(
        "WG414",
        "wrong-order",
        "warning",
        "proved",
        f"the scheduler steps before the first update of `{update.targets[0]}`, so that the first rate of the schedule is never used",
        site=event.site,
        label="comes before the first update",
        related=places((update.site, "the first update")),
        evidence=(
            Evidence("the scheduler had stepped once more than the optimizer when the first update began", "scheduler_steps_ahead", 1),
        ),
        help=f"move this line after {idiom(index, 'the step', optimizer=update.targets[0])}, at the end of the loop that it belongs to",
        kind=step.step.kind,
        step=step.step.index,
        names=update.targets,
        remedy=_stepped_after(event.site, update.site),
    )


def _stepped_after(scheduler: Site | None, update: Site | None) -> Remedy | None:
    """The scheduler's step behind the optimizer's; one rate more or less need not show in the loss."""
    return unseen(remedy("step the scheduler after the optimizer", moving(scheduler, update)))
