"""From each value forward: which cuts does a gradient's way back from the loss end at? Linear in the ops."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import compress
from typing import Literal

from whygrad.flow.index import StepIndex
from whygrad.ir import Event, Op, family, passing

Story = Literal["loss", "detached", "rebuilt", "disabled", "decided"]
"""Why a gradient stops: on request, by a trip out of the framework, because tracking was off, because the op has no derivative."""

Place = tuple[Story, str, int]
"""A cut in the source: story, file, line. All calls of one line are one cut."""

LOSS: Place = ("loss", "", 0)
NONE: frozenset[Place] = frozenset()
OPEN: frozenset[Place] = frozenset((LOSS,))


@dataclass(frozen=True, slots=True)
class Frontier:
    """The cuts of a step, and which of them each value meets first on its way to the loss."""

    first: Mapping[str, frozenset[Place]]
    """Value to the cuts that it meets first; `LOSS` alone where an open path leads there."""
    after: Mapping[Place, frozenset[Place]]
    """Cut to what is met next, were it open."""
    ops: Mapping[Place, tuple[Op, ...]]
    """Cut to its ops, in order."""
    switches: Mapping[Place, Event]
    """Cut to the event that switched tracking off for it, where that is known."""


def frontier(step: StepIndex, ends: tuple[str, ...], before: Event | None = None) -> Frontier:
    """The frontier of `step` as seen from `ends`, its losses. `before` is the switch that was off when the step began."""
    regions = switched_off(step, before)
    live = _live(step)
    first: dict[str, frozenset[Place]] = dict.fromkeys(ends, OPEN)
    after: dict[Place, frozenset[Place]] = {}
    ops: dict[Place, list[Op]] = {}
    for at in range(len(step.graph.ops) - 1, -1, -1):
        op = step.graph.ops[at]
        through = reduce(_joined, [first[name] for name in op.outputs if name in first], NONE)
        if not through:
            continue
        place = _place(op, at, regions)
        for position, name in enumerate(op.inputs):
            if name not in step.depends_on_parameters:
                continue
            if _closed(op, position, live) or _picks_positions(step, op, position, first):
                after[place] = _joined(after.get(place, NONE), through)
                first[name] = _joined(first.get(name, NONE), frozenset((place,)))
                _put(ops.setdefault(place, []), op)
            else:
                first[name] = _joined(first.get(name, NONE), through)
    found = {place: tuple(reversed(members)) for place, members in ops.items()}
    return Frontier(first, after, found, {_disabled(region): region for region in regions.values() if isinstance(region, Event)})


def _joined(one: frozenset[Place], other: frozenset[Place]) -> frozenset[Place]:
    """What is met on two ways together. Where one of them is open the cuts on the other do not matter, and sets stay small."""
    if LOSS in one or LOSS in other:
        return OPEN
    return one if other <= one else one | other


def switched_off(step: StepIndex, before: Event | None = None) -> dict[int, Event | int]:
    """For each op that ran without tracking, by position: the event that switched it off, or where the untracked run began."""
    events = sorted(step.events("tracking"), key=lambda event: event.at)
    found: dict[int, Event | int] = {}
    region: Event | int | None = before
    due = 0
    for at, op in enumerate(step.graph.ops):
        while due < len(events) and events[due].at <= at:
            region = _switched(region, events[due])
            due += 1
        if op.tracking:
            region = None
        else:
            region = at if region is None else region
            found[at] = region
    return found


def _switched(region: Event | int | None, event: Event) -> Event | int | None:
    """The switch in force after `event`; the outermost of several is the one that counts."""
    if event.attributes.get("on"):
        return None
    return region if isinstance(region, Event) else event


def _live(step: StepIndex) -> frozenset[str]:
    """Values that an open path leads to from a trainable parameter."""
    live = {p.value for p in step.step.parameters if p.trainable}
    for op, carrying in zip(step.graph.ops, step.carrying, strict=True):
        if not live.isdisjoint(op.inputs) and not live.isdisjoint(compress(op.inputs, carrying)):
            live.update(name for name in op.outputs if not _whole(step, name))
    return frozenset(live)


def _closed(op: Op, position: int, live: frozenset[str]) -> bool:
    """Whether a gradient could not pass here, even if all that comes before were open."""
    if passing(op.kind) in ("zero", "cut") or not op.tracking:
        return True
    return op.carries is not None and not op.carries[position] and op.inputs[position] in live


def _picks_positions(step: StepIndex, op: Op, position: int, used: Container[str]) -> bool:
    """Of what comes out, whole numbers alone are used, though the input is not: the indices of a sort or of a largest entry."""
    return all(_whole(step, name) for name in op.outputs if name in used) and _floating(step, op.inputs[position])


def _whole(step: StepIndex, name: str) -> bool:
    return step.value(name).dtype.startswith(("i", "u", "bool"))


def _floating(step: StepIndex, name: str) -> bool:
    return step.value(name).dtype.startswith(("f", "bf", "c"))


def _put(members: list[Op], op: Op) -> None:
    if not members or members[-1] is not op:
        members.append(op)


def _story(op: Op) -> Story:
    if op.kind == "detach":
        return "detached"
    if op.kind in ("leave", "enter"):
        return "rebuilt"
    if passing(op.kind) in ("zero", "cut") or family(op.kind) == "opaque":
        return "decided" if op.tracking or family(op.kind) != "opaque" else "disabled"
    return "decided" if op.tracking else "disabled"


def _place(op: Op, at: int, regions: Mapping[int, Event | int]) -> Place:
    story = _story(op)
    if story == "disabled":
        return _disabled(regions[at])
    return (story, op.site.file, op.site.line) if op.site else (story, "", at)


def _disabled(region: Event | int) -> Place:
    if isinstance(region, Event):
        return ("disabled", region.site.file, region.site.line) if region.site else ("disabled", "", -1 - region.at)
    return ("disabled", "", region)
