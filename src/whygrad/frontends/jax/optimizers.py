"""Optimizers of optax over the whole run: who made them, what they hold, at which rates they step."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from types import FrameType
from typing import Any, Protocol

import jax
import numpy as np

from whygrad.frontends import source
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.beginnings import Beginnings
from whygrad.frontends.jax.by_hand import Descent
from whygrad.frontends.jax.clips import clips
from whygrad.frontends.jax.derivations import leaves
from whygrad.frontends.jax.descent import Rule
from whygrad.frontends.jax.evaluation import deleted
from whygrad.frontends.jax.states import smallest
from whygrad.frontends.jax.stillness import held_still
from whygrad.frontends.jax.strangers import typed
from whygrad.frontends.jax.transformations import (
    CHOOSING,
    FOLLOWED,
    FREEZING,
    GATHERING,
    NORMALISED,
    Gathering,
    Made,
    Moment,
    at_step,
    bound_arguments,
    declined_by,
    is_users,
    settings_of,
    stopped_by,
    within_update,
)
from whygrad.frontends.rates import as_good_as_zero, fallen_away
from whygrad.ir import Event, Group, Optimizer, Parameter, Step


class Opened(Protocol):
    """A step whose update is being watched."""

    moments: list[Moment]
    events: list[Event]


class Owner(Protocol):
    """What is asked of the recorder."""

    builder: Any

    def moment(self, moment: Moment) -> None:
        """An update was calculated or applied."""

    def renewed(self, made: Made, state: Any, declined: Any) -> None:
        """An optimizer has made this array of its new state, and declined so many updates by now; None where it declines none."""

    def parameters_in(self, tree: Any) -> dict[str, Any]:
        """The leaves of a tree by the parameters that they belong to."""

    beginnings: Beginnings

    def begun(self, entry: Made, parameters: Any, trace: source.Trace | None) -> None:
        """The state of an optimizer is made."""


class Optimizers:
    """All transformations that were made while the program was watched."""

    def __init__(self, recorder: Owner) -> None:
        self.recorder = recorder
        self.all: list[Made] = []
        self.depth = 0
        self.gathering: list[Gathering] = []
        self.last_rate: float | None = None
        self.by_hand: tuple[Descent, source.Trace | None] | None = None
        """Rate, momentum and place of an update that the program makes itself, in the step that ends now."""
        self.own: Made | None = None
        """Stands for such updates."""
        self._sites: dict[object, Made] = {}

    # --- told by the patches ------------------------------------------------------------------------------------

    def made(
        self, name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], frame: FrameType | None
    ) -> Made:
        """A transformation was made."""
        given = bound_arguments(function, args, kwargs)
        parts = [item for value in given.values() for item in self._parts(value)]
        entry = Made(name, given, source.trace(frame), parts)
        known = self._sites.get(entry.place)
        if known is not None and known.function == name:
            entry.made, entry.remade = known.made, not within_update(frame)
        self._sites[entry.place] = entry
        return entry

    def _parts(self, value: Any) -> Iterator[Made]:
        for item in (
            value
            if isinstance(value, list | tuple) and not hasattr(value, "update")
            else value.values()
            if isinstance(value, dict)
            else (value,)
        ):
            found = next((entry for entry in self.all if entry.transformation is item), None)
            if found is not None:
                yield found

    def finished_making(self, entry: Made, transformation: Any) -> None:
        """It is there."""
        entry.transformation = transformation
        self.all.append(entry)

    def starting(self, entry: Made, parameters: Any, frame: FrameType | None) -> None:
        """The state of an optimizer is made."""
        self._name(entry, frame)
        entry.starts(leaves(parameters), source.trace(frame))
        self.recorder.begun(entry, parameters, entry.given_at)

    def updating(self, entry: Made, updates: Any, state: Any, frame: FrameType | None) -> None:
        """An update is calculated, by the transformation that the program itself calls."""
        self._name(entry, frame)
        entry.updated_at = source.trace(frame)
        self.recorder.beginnings.last = entry
        several = self.gathering[-1] if self.gathering else None
        if several is not None and several.told:
            return
        if several is not None:
            several.told = True
        given = {typed(leaf) for leaf in leaves(updates) if _compat.is_array(leaf)}
        if entry.types and given and given.isdisjoint(entry.types):
            entry.orphans = entry.types
        held = self.recorder.parameters_in(updates)
        stopped = tuple(stopped_by(entry, updates, list(held)))
        turns = several.turns if several is not None else 1
        entry.asked = Moment("update", source.trace(frame), entry, tuple(held), stopped=stopped, turns=turns, state=state, given=held)
        self.recorder.moment(entry.asked)

    def updated(self, entry: Made, made: Any) -> None:
        """An update and the state after it were calculated."""
        state = made[1] if isinstance(made, tuple) and len(made) == 2 else None  # noqa: PLR2004 - updates and state
        entry.answered(made)
        self.recorder.renewed(entry, smallest(leaves(state)), declined_by(state))

    def applied(self, parameters: Any, result: Any, frame: FrameType | None) -> None:
        """Updates were added to parameters."""
        arrays = [leaf for leaf in leaves(result) if _compat.is_array(leaf)]
        self.recorder.beginnings.applied(arrays)
        held = self.recorder.parameters_in(parameters)
        after = dict(zip(held, arrays, strict=False)) if len(arrays) == len(held) else {}
        self.recorder.moment(Moment("apply", source.trace(frame), None, tuple(held), after, added_to=held))

    def _name(self, entry: Made, frame: FrameType | None) -> None:
        frames = list(_user_frames(frame))
        for stands in (_is_same, _holds):
            for user in frames if not entry.name else ():
                own = ((name, item) for name, item in {**user.f_globals, **user.f_locals}.items() if not name.startswith("_"))
                entry.name = entry.name or next((name for name, item in own if stands(item, entry.transformation)), "")

    # --- in the record ------------------------------------------------------------------------------------------

    def used(self) -> list[Made]:
        """Those that the program itself asked for updates, or that stand for themselves."""
        inner = {id(part) for entry in self.all for part in entry.every() if part is not entry}
        return [entry for entry in self.all if id(entry) not in inner]

    def name(self, entry: Made) -> str:
        """The user's variable for it, or what it is, numbered where there are several; what a step was told of it before there were is kept."""
        if entry.shown:
            return entry.shown
        name = entry.name or entry.native
        # by identity: what two of them were made with may be arrays, which compare entry by entry
        alike = [id(other) for other in self.used() if (other.name or other.native) == name]
        return name if len(alike) < 2 else f"{name} {alike.index(id(entry)) + 1}"  # noqa: PLR2004 - several

    def rule(self, *, scheduled: bool = False) -> Rule | None:
        """What a descent on copies has to follow; `scheduled`: also where a schedule gives the rate, which is that of the last update."""
        found = next(iter(self.used()), None)
        rate = found.rate() if found is not None else None
        if found is None or found.native not in FOLLOWED:
            return None
        if callable(rate) and scheduled:
            rate = self.rate_at(found, max(found.since - 1, 0))
        if not isinstance(rate, int | float):
            return None
        settings = {k: v for part in found.every() for k, v in part.settings.items() if isinstance(v, int | float)}
        return Rule(found.native, float(rate), settings, found.limit())

    def rate_at(self, entry: Made, step: int) -> float | None:
        """The learning rate of an update; schedules of the libraries are asked."""
        rate = entry.rate()
        try:
            if callable(rate) and not is_users(rate):
                with jax.ensure_compile_time_eval():  # an update may be asked for while JAX traces what it stands in
                    rate = at_step(rate, step)
            return float(np.asarray(rate)) if rate is not None and not callable(rate) else None
        except (TypeError, ValueError):
            return None

    def again(self, *moments: Moment) -> None:
        """A step that is not recorded: what was updated by hand in the recorded ones is so here."""
        if self.own is not None and not moments:
            self.count(self.own)

    @contextmanager
    def as_they_are(self) -> Iterator[None]:
        """What is looked at afterwards was counted when it ran: all counts are put back."""
        kept = [(entry, {field.name: getattr(entry, field.name) for field in fields(entry)}) for entry in self.all]
        rate, by_hand = self.last_rate, self.by_hand
        try:
            yield
        finally:
            for entry, known in kept:
                for name, value in known.items():
                    setattr(entry, name, value)
            self.last_rate, self.by_hand = rate, by_hand

    def asked(self, moment: Moment) -> None:
        """One more call in a step that is not recorded; several of them may make one update."""
        entry = moment.made
        if entry is None:
            return
        entry.gathered += 1
        if moment.turns and entry.gathered >= moment.turns:
            self.count(entry)

    def count(self, entry: Made) -> None:
        """One more update."""
        rate = self.rate_at(entry, entry.since)
        entry.gathered = 0
        entry.steps += 1
        entry.since += 1
        if rate is None:
            return
        self.last_rate = rate
        entry.first_rate = rate if entry.first_rate is None else entry.first_rate
        entry.low = rate if entry.low is None else min(entry.low, rate)
        entry.high = rate if entry.high is None else max(entry.high, rate)
        entry.last = rate
        idle = as_good_as_zero(rate, entry.high, entry.size if entry.native in NORMALISED else 0.0)
        entry.idle += idle
        entry.idle_from = (entry.steps - 1 if entry.idle_from is None else entry.idle_from) if idle else None
        low = fallen_away(rate, entry.high)
        entry.low_from = (entry.steps - 1 if entry.low_from is None else entry.low_from) if low else None

    def records(self) -> tuple[Optimizer, ...]:
        """The neutral record of each."""
        return tuple(self._record(entry) for entry in self.used() if entry.held or entry.native != entry.function or entry.steps)

    def _record(self, entry: Made) -> Optimizer:
        rate = entry.first_rate if entry.first_rate is not None else self.rate_at(entry, 0)
        group = Group(rate, entry.held, settings_of(entry))
        skipped = self.declined(entry)
        return Optimizer(
            self.name(entry),
            entry.native,
            (group,),
            () if entry.met else entry.orphans,
            self.recorder.builder.site(entry.begun_at or entry.trace),
            entry.steps if entry.declined is None else max(0, entry.calls - skipped),
            (entry.low, entry.high) if entry.low is not None and entry.high is not None else None,
            entry.last,
            idle_steps=entry.idle,
            idle_from=entry.idle_from,
            made=entry.made,
            restarts=entry.restarts if entry.restarts == entry.compared else 0,
            rate_site=self.recorder.builder.site(entry.set_by("scale")),
            schedule_site=self.recorder.builder.site(entry.set_by("scale_by_schedule")),
            given_site=self.recorder.builder.site(entry.given_at),
            step_site=self.recorder.builder.site((entry.restarts and entry.dropped_at) or entry.updated_at)
            if entry.restarts or skipped
            else None,
            skipped=skipped,
            low_from=entry.low_from,
        )

    @staticmethod
    def declined(entry: Made) -> int:
        """How many updates it has declined by now."""
        return 0 if entry.declined is None or deleted(entry.declined) else int(np.asarray(entry.declined))

    # --- a step's end -------------------------------------------------------------------------------------------

    def stepped(self, step: Step) -> list[object]:
        """The optimizers that updated in a step, or that it was updated by hand."""
        return [
            (event.kind, event.targets if event.kind == "optimizer_step" else ())
            for event in step.events
            if event.kind in ("optimizer_step", "update")
        ]

    def finished(self, step: Step, moments: Sequence[Moment]) -> Step:
        """The step with its updates as events, now that it is known whether they reached the parameters."""
        moved = [p for p in step.parameters if p.moved]
        still = [p for p in step.parameters if p.moved == 0.0]
        at = len(step.graph.ops)
        updates = [moment for moment in moments if moment.kind == "update" and moment.made is not None]
        applied = [moment for moment in moments if moment.kind == "apply"]
        events: list[Event] = []
        parameters = {p.name: p for p in step.parameters}
        for moment in updates:
            entry = moment.made
            assert entry is not None
            if self._estranged(entry, moment, applied, moved):
                events.append(self._stepped(moment, at, idle=True))
                parameters.update({n: replace(parameters[n], optimizer="") for n in moment.held if n in parameters})
                continue
            entry.met, entry.moved = not entry.orphans or bool(moved), entry.moved or bool(moved)
            entry.held = tuple(dict.fromkeys((*entry.held, *moment.held)))
            entry.size = _size(step, entry.held) or entry.size
            entry.shown = self.name(entry)
            parameters.update({n: replace(parameters[n], optimizer=self.name(entry)) for n in moment.held if n in parameters})
            events += clips(moment, step, at, self.recorder.builder.site)
            entry.gathered += 1
            if (declined := self.declined(entry)) > entry.known_declined:
                entry.known_declined = declined
                events.append(Event("skipped", at, (self.name(entry),), self.recorder.builder.site(moment.trace)))
            elif moved or (applied and still and self._without_effect(moment, applied)):
                events.append(self._stepped(moment, at))
                names = [name for name in moment.held if name in parameters]
                parameters.update({n: replace(parameters[n], gradient_at_update=parameters[n].gradient) for n in names})
                drifting = [n for n in moment.stopped if n in parameters and parameters[n].moved]
                parameters.update({n: replace(parameters[n], trainable=False, gradient_at_update="zero") for n in drifting})
        if moved and not updates and self.by_hand is not None:
            moved = [p for p in parameters.values() if p.moved or p.gradient == "zero"]  # 0 was taken off the others
            events.append(self._own_update(moved, at))
            parameters.update({p.name: replace(p, optimizer=events[-1].targets[0], gradient_at_update=p.gradient) for p in moved})
        elif moved and not updates:
            site = next((self.recorder.builder.site(moment.trace) for moment in applied), None)
            events.append(Event("update", at, tuple(p.name for p in moved), site))
        if any(event.kind == "optimizer_step" for event in events):
            events = [*self._frozen(updates, parameters, at), *events]
        updated = any(event.kind in ("optimizer_step", "update") for event in events)
        events += [] if updated else self._dropped(updates, applied, at)
        return replace(step, parameters=tuple(parameters.values()), events=(*step.events, *events), updated=updated)

    @staticmethod
    def _estranged(entry: Made, moment: Moment, applied: Sequence[Moment], moved: Sequence[Parameter]) -> bool:
        """Its updates are added to other arrays than the derivative was taken by, which stay as they are."""
        found = next((item.strangers for item in applied if item.strangers), ())
        if entry.moved or moved or not found or len(applied) != 1:
            return False
        entry.met = False  # in its first step both may have held the same numbers
        entry.orphans, entry.held = found, tuple(name for name in entry.held if name not in moment.held)
        return True

    def _dropped(self, updates: Sequence[Moment], applied: Sequence[Moment], at: int) -> list[Event]:
        """Where new values of parameters were computed last, as no parameter became them."""
        last = (applied or updates)[-1:]
        gathers = any(m.gathers or any(part.function in GATHERING for part in m.made.every()) for m in updates if m.made is not None)
        if not last or gathers:
            return []
        moment = last[0]
        what = "update" if moment.kind == "update" else "returned" if moment.kept else "module" if _in_module(moment) else "applied"
        trace = moment.called if moment.kept and moment.called is not None else moment.trace
        return [Event("dropped", at, moment.held, self.recorder.builder.site(trace), {"what": what})]

    @staticmethod
    def _without_effect(moment: Moment, applied: Sequence[Moment]) -> bool:
        """The updates were zero: what was applied is known to be what was there before. Several turns that make one update count as none."""
        entry = moment.made
        if entry is None or moment.gathers or any(part.function in GATHERING for part in entry.every()):
            return False
        known = [item.changed for item in applied if item.changed is not None]
        rate = entry.rate()
        return not any(known) if known else isinstance(rate, int | float) and rate == 0

    def _own_update(self, moved: Sequence[Parameter], at: int) -> Event:
        """The program takes a multiple of each gradient off the parameters: plain gradient descent, written out."""
        assert self.by_hand is not None
        made, trace = self.by_hand
        if self.own is None:
            self.own = Made("sgd", {}, trace, name="gradient descent by hand")
            self.all.append(self.own)
        self.own.settings.update({"learning_rate": made.rate} | ({"momentum": made.momentum} if made.momentum else {}))
        self.own.held = tuple(dict.fromkeys((*self.own.held, *(p.name for p in moved))))
        self.count(self.own)
        return Event("optimizer_step", at, (self.name(self.own),), self.recorder.builder.site(trace), {"rate": made.rate})

    def holding(self, step: Step, held: Mapping[int, tuple[str, ...]]) -> Step:
        """The step with the optimizers that hold its parameters, where that is known before they update."""
        holders = {name: entry for entry in self.used() for name in held.get(id(entry), ())}
        for name, entry in holders.items():
            entry.held = tuple(dict.fromkeys((*entry.held, name)))
            entry.shown = self.name(entry)
        return replace(
            step, parameters=tuple(replace(p, optimizer=self.name(holders[p.name])) if p.name in holders else p for p in step.parameters)
        )

    def _frozen(self, updates: Sequence[Moment], parameters: dict[str, Parameter], at: int) -> list[Event]:
        """Parameters whose updates a transformation sets to zero, by their names."""
        found = []
        for moment in updates:
            freezing = next((part for part in moment.made.every() if part.function in FREEZING), None) if moment.made else None
            still = [n for n in moment.held if n in parameters and held_still(parameters[n], moment, parameters)]
            if freezing is None or not still or moment.made is None:
                continue
            place = next((part for part in moment.made.every() if part.function in CHOOSING), freezing)
            parameters.update({name: replace(parameters[name], trainable=False) for name in still})
            found.append(Event("freeze", at, tuple(still), self.recorder.builder.site(place.trace)))
        return found

    def _stepped(self, moment: Moment, at: int, *, idle: bool = False) -> Event:
        entry = moment.made
        assert entry is not None
        rate, site = self.rate_at(entry, entry.since), self.recorder.builder.site(moment.trace)
        self.count(entry)
        return Event(
            "optimizer_step", at, (self.name(entry),), site, ({"rate": rate} if rate is not None else {}) | ({"idle": True} if idle else {})
        )


def _user_frames(frame: FrameType | None) -> Iterator[FrameType]:
    user = source.user_frame(frame)
    while user is not None:
        yield user
        user = source.user_frame(user.f_back)


def _is_same(item: Any, transformation: Any) -> bool:
    return item is transformation


def _holds(item: Any, transformation: Any) -> bool:
    """An object of a library's that holds the transformation: nnx' `Optimizer`, flax' `TrainState`."""
    return type(item).__module__.startswith("flax.") and getattr(item, "tx", None) is transformation


def _in_module(moment: Moment) -> bool:
    """A library's object changes its own modules, which are copies within a function that JAX traces."""
    return moment.trace is not None and any("/flax/nnx/" in code.co_filename.replace("\\", "/") for code, _ in moment.trace.library)


def _size(step: Step, names: Sequence[str]) -> float:
    """The median of the root mean squares of some parameters; those that start at 0 count for nothing."""
    found = [
        p.norm / math.sqrt(max(math.prod(step.graph.values[p.value].shape or ()), 1))
        for p in step.parameters
        if p.name in names and p.norm and math.isfinite(p.norm) and p.value in step.graph.values
    ]
    return float(np.median(found)) if found else 0.0
