"""Keras' optimizers over the whole run: who made them, what they hold, at which rates they stepped."""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from types import FrameType
from typing import Any
from weakref import ReferenceType, ref

import numpy as np
from numpy.typing import NDArray

from whygrad.flow.courses import fell_early
from whygrad.frontends import source
from whygrad.frontends.arrays import dtype_name, wide
from whygrad.frontends.keras_words import reckons, settings_of
from whygrad.frontends.plateaus import PlateauWatch
from whygrad.frontends.rates import as_good_as_zero, fallen_away
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow.building import Builder
from whygrad.frontends.tensorflow.layers import SEARCHED
from whygrad.frontends.tensorflow.restores import digest_of
from whygrad.frontends.tensorflow.values import Values
from whygrad.ir import Attribute, Group, Optimizer, Site

BETWEEN = 16
"""Updates between two readings of a rate, where they run within compiled steps."""


@dataclass(slots=True)
class Watched:
    """One optimizer of the program's."""

    reference: "ReferenceType[Any]"
    number: int
    native: str
    made: source.Trace | None
    name: str = ""
    steps: int = 0
    low: float = math.inf
    high: float = -math.inf
    last: float | None = None
    first: float | None = None
    rate_set: source.Trace | None = None
    scheduled: source.Trace | None = None
    plateau: PlateauWatch | None = None
    given: Site | None = None
    idle: int = 0
    idle_from: int | None = None
    low_from: int | None = None
    looked: bool = False
    """A step is looked at because its rate has long been next to nothing."""
    last_record: Optimizer | None = None
    held: tuple[int, ...] = field(default_factory=tuple)
    alike: int = 1
    before: int = 0
    """Updates that it had taken as it was met."""
    scaled: bool = False
    """It was asked to scale a loss."""
    begun: bool = False
    """It is known what it begins with."""
    unseen: int = 0
    """Of its steps, those that a compiled one of the program's is taken to have made, and that nobody saw."""

    def taken(self, optimizer: Any) -> int:
        """How many of its steps changed something: a loss scale declines those whose gradient is not finite, and counts the others alone."""
        count = taken(optimizer)
        if count is None:
            return self.steps
        asked = 0 if hasattr(optimizer, "inner_optimizer") else self.steps - self.unseen
        return max(asked, min(self.steps, count - self.before))


@dataclass(frozen=True, slots=True)
class Begun:
    """What an optimizer began with."""

    first: "ReferenceType[Any]"
    times: int
    digest: bytes
    """Of the first variable, as the first one of these optimizers began."""


class Optimizers:
    """All optimizers that were made, or that stepped."""

    def __init__(self) -> None:
        self._watched: dict[int, Watched] = {}
        self._order = count()
        self._made: dict[object, Begun] = {}
        """Place and class to what the last optimizer that was made so began with."""
        self._schedules: dict[int, tuple[ReferenceType[Any], source.Trace]] = {}
        self.asked: dict[int, Any] = {}
        """Variables by number that gradients were asked for: an optimizer that has not updated yet will hold these."""

    def made(self, optimizer: Any, trace: source.Trace | None) -> None:
        """An optimizer was made."""
        entry = self.meet(optimizer)
        entry.made = trace

    def begins(self, optimizer: Any, variables: Iterable[Any]) -> None:
        """Its first update is about to come: count the optimizers that are made at one place and go on with the same variables.

        Variables that were put back to what they were as the first one began are trained anew: another fold.
        """
        entry, first = self.meet(optimizer), next(iter(variables), None)
        if entry.begun or entry.made is None or first is None:
            return
        entry.begun = True
        key, digest = (entry.made.user, entry.native), digest_of((_compat.read(getattr(first, "_value", first)).numpy(),))
        known = self._made.get(key)
        goes_on = known is not None and known.first() is first and known.digest != digest
        self._made[key] = (
            Begun(ref(first), known.times + 1, known.digest) if known is not None and goes_on else Begun(ref(first), 1, digest)
        )

    def made_schedule(self, schedule: Any, trace: source.Trace | None) -> None:
        """A schedule of learning rates was made."""
        if trace is not None:
            self._schedules[id(schedule)] = (ref(schedule), trace)

    def rate_was_set(self, optimizer: Any, trace: source.Trace | None) -> None:
        """The program, or a callback of its, assigned a learning rate."""
        entry = self.meet(optimizer)
        entry.rate_set = trace or entry.rate_set
        now = rate_of(optimizer)  # between recorded steps it is read only now and then
        entry.last = now if now is not None and entry.last is not None else entry.last

    def waited(self, callback: Any, optimizer: Any, value: float, best: float, loss: float | None) -> None:
        """A callback that waits for a value to get better was given one."""
        entry, rate = self.meet(optimizer), rate_of(optimizer)
        held = self._schedules.get(id(callback))
        entry.scheduled = held[1] if held is not None and held[0]() is callback else entry.scheduled
        if entry.plateau is None or entry.plateau.scheduler() is not callback:
            entry.plateau = PlateauWatch(ref(callback), "max" if callback.monitor_op(1, 0) else "min")
        entry.plateau.take(value, best, math.nan if rate is None else rate, loss, entry.steps)

    def scaled(self, optimizer: Any) -> None:
        """A loss scale multiplied a loss."""
        self.meet(optimizer).scaled = True

    def _schedule_of(self, optimizer: Any) -> source.Trace | None:
        """Where the schedule was made that an optimizer asks for its rate."""
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        schedule = getattr(inner, "_learning_rate", None)
        held = self._schedules.get(id(schedule))
        return held[1] if held is not None and held[0]() is schedule else None

    def meet(self, optimizer: Any) -> Watched:
        """The entry of an optimizer, made if it is new."""
        entry = self._watched.get(id(optimizer))
        if entry is None or entry.reference() is not optimizer:
            if entry is not None:
                self._watched[-entry.number - 1] = entry
            entry = self._watched[id(optimizer)] = Watched(ref(optimizer), next(self._order), type(optimizer).__name__, None)
            entry.before = taken(optimizer) or 0
        return entry

    def all(self) -> tuple[Watched, ...]:
        """Every entry that held something or was made by the program, in order of making."""
        return tuple(sorted(self._watched.values(), key=lambda entry: entry.number))

    def updates(self) -> int:
        """Of all of them, over the run."""
        return sum(entry.taken(entry.reference()) for entry in self.all())

    def living(self) -> tuple[Any, ...]:
        """The optimizers themselves, as far as they live."""
        return tuple(optimizer for entry in self.all() if (optimizer := entry.reference()) is not None)

    def name(self, entry: Watched) -> str:
        """The user's variable for it, or its class, numbered where there are several."""
        if not entry.name:
            alike = [other for other in self.all() if other.native == entry.native]
            entry.name = entry.native if len(alike) == 1 else f"{entry.native} {alike.index(entry) + 1}"
        return entry.name

    def name_all(self, frames: Iterable[FrameType]) -> None:
        """Look among the variables in sight for optimizers without a name."""
        unnamed = {id(o): entry for entry in self.all() if not entry.name and (o := entry.reference()) is not None}
        taken = {entry.name for entry in self.all()}
        for frame in frames if unnamed else ():
            own = frame.f_locals.get("self")
            held = {**(vars(own) if hasattr(own, "__dict__") else {}), **dict(list(frame.f_locals.items())[:SEARCHED])}
            for name, item in held.items():
                if id(item) in unnamed and name != "self" and name not in taken and not unnamed[id(item)].name:
                    unnamed[id(item)].name = name
                    taken.add(name)

    def held(self, values: Values) -> dict[int, str]:
        """Number of each variable that a living optimizer holds to the optimizer's name."""
        found: dict[int, str] = {}
        inner = self._inner()
        for entry in self.all():
            optimizer = entry.reference() if id(entry.reference()) not in inner else None
            for number in self._numbers(optimizer, values) if optimizer is not None else ():
                found.setdefault(number, self.name(entry))
        return found

    def meant(self, without: frozenset[int]) -> dict[int, str]:
        """Variables that a tape was asked about and gave nothing for: with one optimizer about, they were meant for it, though the program left them out."""
        living = [entry for entry in self.all() if entry.reference() is not None]
        return {number: self.name(living[0]) for number in self.asked if number in without} if len(living) == 1 else {}

    def _inner(self) -> set[int]:
        """Ids of those that a loss scale holds: they step inside of it, and are told of with it."""
        return {id(held) for optimizer in self.living() if (held := getattr(optimizer, "inner_optimizer", None)) is not None}

    def _numbers(self, optimizer: Any, values: Values) -> tuple[int, ...]:
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        if not getattr(inner, "built", True) and len(self.living()) == 1:
            return tuple(self.asked)
        held = getattr(inner, "_trainable_variables", None) or ()
        entries = (values.variable(getattr(variable, "_value", variable)) for variable in held)
        return tuple(entry.number for entry in entries if entry is not None)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """While a step runs that is none of the program's: its updates are not counted."""
        before = [(entry, entry.steps) for entry in self.all()]
        try:
            yield
        finally:
            for entry, steps in before:
                entry.steps = steps

    def stepping(self, optimizer: Any) -> Watched:
        """An update begins: note its rate."""
        entry = self.meet(optimizer)
        entry.steps += 1
        self.rate(entry, rate_of(optimizer))
        return entry

    def rate(self, entry: Watched, rate: float | None, updates: int = 0) -> None:
        """Note the rate of an update; `updates`: of this many that were not seen one by one."""
        entry.steps += updates
        entry.unseen += updates
        if rate is None:
            return
        entry.first = rate if entry.first is None else entry.first
        entry.low, entry.high, entry.last = min(entry.low, rate), max(entry.high, rate), rate
        idle = as_good_as_zero(rate, entry.high)
        entry.idle += idle * max(updates, 1)
        entry.idle_from = (entry.steps - 1 if entry.idle_from is None else entry.idle_from) if idle else None
        low = fallen_away(rate, entry.high)
        entry.low_from = (entry.steps - 1 if entry.low_from is None else entry.low_from) if low else None

    def unseen(self, entry: Watched, updates: int) -> None:
        """Updates that were not seen one by one; the rate is read at every sixteenth."""
        optimizer = entry.reference()
        self.rate(entry, entry.last if entry.steps % BETWEEN or optimizer is None else rate_of(optimizer), updates=updates)

    def fell_away(self, entry: Watched) -> bool:
        """Its rate has been next to nothing for most of the run, so that a step is to be looked at; told once."""
        told = not entry.looked and fell_early(entry.low_from, entry.steps)
        entry.looked = entry.looked or told
        return told

    def records(self, names: Mapping[int, str], builder: Builder) -> tuple[Optimizer, ...]:
        """The neutral record of each that holds variables or has stepped."""
        inner = self._inner()
        entries = (entry for entry in self.all() if entry.steps or id(entry.reference()) not in inner)
        found = (self._record(entry, names, builder) for entry in entries)
        return tuple(record for record in found if record is not None)

    def _record(self, entry: Watched, names: Mapping[int, str], builder: Builder) -> Optimizer | None:
        optimizer = entry.reference()
        if optimizer is not None:
            numbers = self._numbers(optimizer, builder.values)
            orphans = tuple(_type(v) for v, number in _held(optimizer, builder.values) if number not in names)
            rate = entry.first if entry.first is not None else rate_of(optimizer)
            group = Group(
                rate, tuple(names[number] for number in numbers if number in names), {**settings_of(optimizer), **divisor(entry, optimizer)}
            )
            entry.scheduled = entry.scheduled or self._schedule_of(optimizer)
            entry.last_record = Optimizer(self.name(entry), entry.native, (group,), orphans, builder.site(entry.made))
        if entry.last_record is None:
            return None
        begun = self._made.get((entry.made.user, entry.native)) if entry.made is not None else None
        declined = entry.steps - entry.taken(optimizer)
        return replace(
            entry.last_record,
            steps=entry.steps - declined,
            skipped=declined if hasattr(optimizer, "inner_optimizer") else 0,
            rates=(entry.low, entry.high) if entry.high >= entry.low else None,
            last_rate=entry.last,
            rate_site=builder.site(entry.rate_set),
            schedule_site=builder.site(entry.scheduled),
            given_site=entry.given,
            idle_steps=entry.idle,
            idle_from=entry.idle_from,
            low_from=entry.low_from,
            made=begun.times if begun is not None else 1,
            plateau=entry.plateau.record() if entry.plateau is not None else None,
        )


def _held(optimizer: Any, values: Values) -> list[tuple[Any, int]]:
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    pairs = [(v, values.variable(getattr(v, "_value", v))) for v in getattr(inner, "_trainable_variables", None) or ()]
    return [(v, entry.number) for v, entry in pairs if entry is not None]


def _type(variable: Any) -> str:
    return f"{dtype_name(str(variable.dtype).replace('<', ''))}[{','.join(str(int(size)) for size in variable.shape)}]"


def clipped(optimizer: Any, gradients: Iterable[NDArray[Any]]) -> tuple[float, float] | None:
    """Norm of all gradients before and after the optimizer's own clipping; None where it does not clip."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    each, value, whole = (getattr(inner, name, None) for name in ("clipnorm", "clipvalue", "global_clipnorm"))
    if not any((each, value, whole)):
        return None
    arrays = [wide(array) for array in gradients]
    with np.errstate(all="ignore"):
        norms = [float(np.linalg.norm(array)) for array in arrays]
        before = math.hypot(*norms)
        if value:
            return before, math.hypot(*(float(np.linalg.norm(np.clip(array, -value, value))) for array in arrays))
        return before, min(before, float(whole)) if whole else math.hypot(*(min(norm, float(each or norm)) for norm in norms))


def lessened(optimizer: Any, own: Iterable[NDArray[Any]], handed: Iterable[NDArray[Any]]) -> tuple[float, float] | None:
    """Norm of the gradients as they were calculated, and as an optimizer is given them; None where it gets all, or what a loss scale explains."""
    if hasattr(optimizer, "inner_optimizer"):
        return None
    with np.errstate(all="ignore"):
        before, after = (math.hypot(*(float(np.linalg.norm(wide(array))) for array in arrays)) for arrays in (own, handed))
    if not math.isfinite(before) or not 0 < after < before:
        return None
    # timid: loss scales are powers of two
    return None if math.isclose(math.log2(before / after), round(math.log2(before / after)), abs_tol=1e-3) else (before, after)


def taken(optimizer: Any) -> int | None:
    """Updates that an optimizer has taken, or the one inside a loss scale; None where it is gone."""
    count = getattr(getattr(optimizer, "inner_optimizer", optimizer), "_iterations", None)
    plain = getattr(count, "_value", None)
    try:
        return None if plain is None else int(_compat.read(plain))
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return None


def divisor(entry: Watched, optimizer: Any) -> dict[str, Attribute]:
    """What a loss scale divides gradients by, where it never multiplied the loss."""
    if entry.scaled or not hasattr(optimizer, "inner_optimizer"):
        return {}
    plain = getattr(getattr(optimizer, "dynamic_scale", None), "_value", None)
    try:
        found = float(getattr(optimizer, "initial_scale", 1.0) if plain is None else _compat.read(plain))
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return {}
    return {"divides_by": found}


def rate_of(optimizer: Any) -> float | None:
    """The learning rate as it is now; that of a schedule at its present step, None of one that does more than reckon."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    given = getattr(inner, "_learning_rate", None)
    if callable(given) and not reckons(given):
        return None
    try:
        plain = getattr(given, "_value", None)
        rate = inner.learning_rate if plain is None else _compat.read(plain)
        return float(rate.numpy() if hasattr(rate, "numpy") else rate)
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return None
