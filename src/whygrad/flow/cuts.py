"""Where the gradient of starved parameters is cut: one `Cut` for each place in the source, with the parameters behind it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from whygrad.flow.frontier import LOSS, NONE, Frontier, Place, Story, frontier
from whygrad.flow.index import Index, StepIndex
from whygrad.flow.starved import ends, refusal, starved
from whygrad.flow.trips import Trip, trips
from whygrad.ir import Event, Op, Parameter

RANK: dict[Story, int] = {"rebuilt": 0, "detached": 1, "disabled": 2, "decided": 3, "loss": 4}
"""Of several cuts that together starve a parameter, the likeliest to be meant otherwise comes first."""

LONGEST = 16
"""Further cuts that are followed on the way from one to the loss: nobody reads more, and the work stays linear."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A place where every path from some parameters to the loss is cut, in the first step that shows it."""

    story: Story
    step: StepIndex
    ops: tuple[Op, ...]
    """The ops that cut, in order; the first one is named."""
    starved: tuple[Parameter, ...]
    """Behind it."""
    chain: tuple[Op, ...] = ()
    """Further cuts between this one and the loss."""
    others: tuple[Op, ...] = ()
    """Cuts on other paths of the same parameters."""
    inner: tuple[Op, ...] = ()
    """Cuts on detours that come back to this one, as in a straight-through estimator."""
    switch: Event | None = None
    """What switched tracking off."""
    left: Op | None = None
    """Where the value left the framework."""
    entered: Op | None = None
    """Where it came back."""
    blind: bool = False
    """The way back is not seen in the graph: what came back had been reckoned with outside."""
    whole: bool = False
    """No trainable parameter of this step gets a gradient."""
    refused: tuple[str, str] | None = None
    """Type and message of the exception that it caused."""
    kinds: frozenset[int] = frozenset()
    """Kinds of step that show it."""
    meets_labels: bool = False
    """What comes of it is combined with labels, which so lose their effect there."""


def cuts(index: Index) -> tuple[Cut, ...]:
    """All cuts of a record, in the order in which the steps show them."""
    found: dict[Place, Cut] = {}
    for place, cut in _all(index):
        found[place] = _merged(found[place], cut) if place in found else cut
    return tuple(_by_own_updates(tuple(found.values())))


def _by_own_updates(found: tuple[Cut, ...]) -> Iterator[Cut]:
    """Parameters that are cut off from several losses are told of where their own optimizer steps: a GAN's generator is kept from the critic's loss on purpose."""
    own = {p.name for cut in found for p in cut.starved if _steps_for(cut, p)}
    for cut in found:
        left = tuple(p for p in cut.starved if p.name not in own or _steps_for(cut, p))
        if left:
            yield replace(cut, starved=left)


def _steps_for(cut: Cut, parameter: Parameter) -> bool:
    return bool(parameter.optimizer) and any(parameter.optimizer in event.targets for event in cut.step.events("optimizer_step"))


def _all(index: Index) -> Iterator[tuple[Place, Cut]]:
    for step in index.steps:
        yield from _cuts_of(index, step)
    for trip in index.once(trips):
        yield _key("rebuilt", trip.entered, ("rebuilt", trip.entered.output, 0)), _of_trip(index, trip)


def _merged(known: Cut, cut: Cut) -> Cut:
    names = {p.name for p in known.starved}
    more = tuple(p for p in cut.starved if p.name not in names)
    refused = known.refused or cut.refused
    return replace(known, starved=known.starved + more, kinds=known.kinds | cut.kinds, refused=refused, whole=known.whole or cut.whole)


def _cuts_of(index: Index, step: StepIndex) -> Iterator[tuple[Place, Cut]]:
    goals = ends(index, step)
    hungry = [p for p in starved(index, step) if _hungry(index, step, p)] if goals else []
    if not hungry:
        return
    front = frontier(step, goals, _off_before(index, step))
    whole = not any(LOSS in front.first.get(p.value, NONE) for p in step.step.parameters if p.trainable)
    for place, members in _groups(front, hungry).items():
        cut = _without_loaded(_cut(index, step, front, place, members))
        meets = any(name in step.towards_labels for op in cut.ops for name in op.outputs)
        if cut.starved:
            yield _key(cut.story, cut.entered, place), replace(cut, whole=whole, meets_labels=meets)


def _groups(front: Frontier, hungry: Iterable[Parameter]) -> dict[Place, list[Parameter]]:
    """The parameters behind each cut; those that have an open path after all are left out."""
    groups: dict[Place, list[Parameter]] = {}
    named: dict[frozenset[Place], Place] = {}
    for parameter in hungry:
        met = front.first.get(parameter.value, NONE)
        if met and LOSS not in met:
            named[met] = named.get(met) or _main(front, met)
            groups.setdefault(named[met], []).append(parameter)
    return groups


def _hungry(index: Index, step: StepIndex, parameter: Parameter) -> bool:
    """It has no gradient, or exact zeros that the graph explains; after an exception what is left there is of earlier steps."""
    if refusal(index, step) is not None or parameter.gradient == "none":
        return True
    return parameter.gradient == "zero" and parameter.value not in step.gets_gradient


def _off_before(index: Index, step: StepIndex) -> Event | None:
    """The event that left tracking switched off when this step began."""
    last: Event | None = None
    for earlier in index.steps:
        if earlier is step:
            break
        for event in earlier.events("tracking"):
            last = event
    return last if last is not None and not last.attributes.get("on") else None


def _main(front: Frontier, met: frozenset[Place]) -> Place:
    """The cut to name among those that a parameter meets first."""
    return min(_outer(front, met), key=lambda place: (RANK[_story(front, place)], -_depth(front, place), place))


def _outer(front: Frontier, met: frozenset[Place]) -> frozenset[Place]:
    """Without the cuts on detours that run into the others anyway."""
    kept = set(met)
    for place in sorted(met):
        rest = kept - {place}
        following = front.after.get(place, NONE) - {place}
        if rest and following and following <= rest:
            kept = rest
    return frozenset(kept)


def _chain(front: Frontier, place: Place) -> tuple[Place, ...]:
    """The cuts met after `place` on every way to the loss, in order."""
    found: list[Place] = []
    seen = {place}
    level = front.after.get(place, NONE)
    while LOSS not in level and len(found) < LONGEST:
        fresh = sorted(level - seen)
        if not fresh:
            break
        found += fresh
        seen.update(fresh)
        level = NONE.union(*(front.after.get(member, NONE) for member in fresh))
    return tuple(found)


def _depth(front: Frontier, place: Place) -> int:
    """How far on its way to the loss a cut is: fewer cuts after it is further."""
    return -len(_chain(front, place))


def _trip(front: Frontier, place: Place) -> tuple[Op, Op | None] | None:
    """Where the value left the framework and where it came back, if that is what the cut amounts to."""
    behind = [op for member in _chain(front, place) for op in front.ops[member]]
    here = front.ops[place]
    if place[0] == "rebuilt":
        return here[0], next((op for op in (*here, *behind) if op.kind == "enter"), None)
    beyond = next((op for op in behind if op.kind != "detach"), None)
    if place[0] != "detached" or beyond is None or beyond.kind not in ("leave", "enter"):
        return None
    return beyond, next((op for op in behind if op.kind == "enter"), None)


def _story(front: Frontier, place: Place) -> Story:
    return "rebuilt" if _trip(front, place) else place[0]


def _cut(index: Index, step: StepIndex, front: Frontier, place: Place, members: list[Parameter]) -> Cut:
    met = NONE.union(*(front.first.get(p.value, NONE) for p in members))
    outer = _outer(front, met) | {place}
    trip = _trip(front, place)
    return Cut(
        story=_story(front, place),
        step=step,
        ops=front.ops[place],
        starved=tuple(members),
        chain=_ops(front, _chain(front, place)),
        others=_ops(front, sorted(outer - {place} - set(_chain(front, place)))),
        inner=_ops(front, sorted(met - outer)),
        switch=front.switches.get(place),
        left=trip[0] if trip else None,
        entered=trip[1] if trip else None,
        refused=refusal(index, step),
        kinds=frozenset((step.step.kind,)),
    )


def _ops(front: Frontier, places: Iterable[Place]) -> tuple[Op, ...]:
    return tuple(op for place in places for op in front.ops[place])


def _without_loaded(cut: Cut) -> Cut:
    """Pretrained parameters under `no_grad` are kept as they are on purpose."""
    if cut.story != "disabled" or cut.refused:
        return cut
    # timid: features of a pretrained model are commonly computed without tracking although an optimizer was handed everything
    return replace(cut, starved=tuple(p for p in cut.starved if not p.loaded))


def _key(story: Story, entered: Op | None, place: Place) -> Place:
    """Values that come back at one place are one cut, wherever they left."""
    if story == "rebuilt" and entered is not None and entered.site is not None:
        return ("rebuilt", entered.site.file, entered.site.line)
    return place


def _of_trip(index: Index, trip: Trip) -> Cut:
    return Cut(
        story="rebuilt",
        step=trip.step,
        ops=trip.left,
        starved=trip.starved,
        left=trip.left[0],
        entered=trip.entered,
        blind=True,
        whole=trip.whole,
        refused=refusal(index, trip.step),
        kinds=frozenset((trip.step.step.kind,)),
    )
