"""Optimizers over the whole run: who made them, what they hold, at which rates they stepped."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from types import FrameType
from typing import Any
from weakref import ReferenceType, ref

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from whygrad.flow.courses import fell_early
from whygrad.frontends import source
from whygrad.frontends.plateaus import PlateauWatch
from whygrad.frontends.rates import as_good_as_zero, fallen_away
from whygrad.frontends.torch.identity import mark_of
from whygrad.frontends.torch.lowering import dtype_name
from whygrad.frontends.torch.own_steps import writing_site
from whygrad.frontends.torch.plateaus import take
from whygrad.frontends.torch.steps import Builder
from whygrad.ir import Attribute, Group, Origin, Site
from whygrad.ir import Optimizer as Record


@dataclass(slots=True)
class Watched:
    """One optimizer of the program's."""

    reference: "ReferenceType[Optimizer]"
    number: int
    native: str
    made: source.Trace | None
    key: object = None
    """Tells apart the places where optimizers are made again."""
    name: str = ""
    steps: int = 0
    low: float = math.inf
    high: float = -math.inf
    last: float | None = None
    rate_set: source.Trace | None = None
    scheduled: source.Trace | None = None
    schedule: Callable[[], Any] | None = None
    """The last scheduler, while it lives."""
    laid_out: tuple[int, int] | None = None
    """The length that it was told, and how far it has come."""
    last_record: Record | None = None
    idle: int = 0
    idle_from: int | None = None
    low_from: int | None = None
    looked: bool = False
    """A step is looked at because its rate has long been next to nothing."""
    skipped: int = 0
    """Steps that a gradient scaler declined."""
    skip_trace: source.Trace | None = None
    scaler: "tuple[ReferenceType[Any], source.Trace | None] | None" = None
    """The last gradient scaler that stepped it, and where that was made."""
    scalers: int = 0
    """How many there were one after the other."""
    first_rates: list[float | None] = field(default_factory=list)
    plateau: PlateauWatch | None = None


@dataclass(slots=True)
class Begun:
    """What an optimizer began with."""

    first: "ReferenceType[Tensor]"
    times: int
    mark: tuple[int, int, str]
    """Of the first parameter, after the last update."""


class Optimizers:
    """All optimizers that were made while the program was watched, or that stepped."""

    def __init__(self) -> None:
        self._watched: dict[int, Watched] = {}
        self._order = count()
        self.rate: float | None = None
        """Of the last update; the largest where groups differ."""
        self._scaler: tuple[ReferenceType[Any], source.Trace | None] | None = None
        """The gradient scaler that was made last."""
        self._made: dict[object, Begun] = {}
        """Place, class and rate to what the last optimizer that was made so began with."""

    def meet(self, optimizer: Optimizer, trace: source.Trace | None = None) -> Watched:
        """The entry of an optimizer, made if it is new."""
        entry = self._watched.get(id(optimizer))
        if entry is None or entry.reference() is not optimizer:
            if entry is not None:
                self._watched[-entry.number - 1] = entry
            entry = self._watched[id(optimizer)] = Watched(ref(optimizer), next(self._order), type(optimizer).__name__, trace)
        return entry

    def _count(self, optimizer: Optimizer, entry: Watched) -> None:
        """Count the optimizers that are made at one place, with one rate, and go on with the same parameters as the one before left them.

        Parameters that were written to since its last update begin anew: another fold, another member of an ensemble.
        """
        first = next(iter(_parameters(optimizer)), None)
        if entry.made is None or first is None:
            return
        key = (entry.made.user, entry.native, tuple(str(group.get("lr")) for group in optimizer.param_groups))
        known = self._made.get(key)
        goes_on = known is not None and known.first() is first and known.mark == mark_of(first)
        self._made[key] = Begun(ref(first), known.times + 1 if known is not None and goes_on else 1, mark_of(first))
        entry.key = key

    def stepped(self, optimizer: Optimizer) -> None:
        """An update is over: what its first parameter is like now, another one at the same place may find so."""
        begun = self._made.get(self.meet(optimizer).key)
        first = begun.first() if begun is not None else None
        if begun is not None and first is not None:
            begun.mark = mark_of(first)

    def all(self) -> tuple[Watched, ...]:
        """Every entry, in order of making."""
        return tuple(sorted(self._watched.values(), key=lambda entry: entry.number))

    def updates(self) -> int:
        """Of all of them, over the run."""
        return sum(entry.steps for entry in self.all())

    def living(self) -> tuple[Optimizer, ...]:
        """The optimizers themselves, as far as they live."""
        return tuple(optimizer for entry in self.all() if (optimizer := entry.reference()) is not None)

    def held(self) -> dict[int, str]:
        """Id of each parameter that a living optimizer holds, to the optimizer's name."""
        found: dict[int, str] = {}
        for entry in self.all():
            optimizer = entry.reference()
            for parameter in _parameters(optimizer) if optimizer is not None else ():
                found.setdefault(id(parameter), self.name(entry))
        return found

    def parameters(self) -> list[Tensor]:
        """All that living optimizers hold."""
        living = (entry.reference() for entry in self.all())
        return [parameter for optimizer in living if optimizer is not None for parameter in _parameters(optimizer)]

    def name(self, entry: Watched) -> str:
        """The user's variable for it, or its class, numbered where there are several; once said, it stays."""
        if not entry.name:
            alike = [other for other in self.all() if other.native == entry.native]
            entry.name = entry.native if len(alike) == 1 else f"{entry.native} {alike.index(entry) + 1}"
        return entry.name

    def name_all(self, frame: FrameType | None) -> None:
        """Look among the variables in sight, and the attributes of `self`, for optimizers without a name."""
        living = ((entry, optimizer) for entry in self.all() if not entry.name and (optimizer := entry.reference()) is not None)
        unnamed = [(entry, getattr(optimizer, "behind", optimizer)) for entry, optimizer in living]
        frame = source.user_frame(frame)
        while frame is not None and unnamed:
            own = frame.f_locals.get("self")
            held = {**(vars(own) if hasattr(own, "__dict__") else {}), **frame.f_locals}
            for entry, optimizer in unnamed:
                entry.name = entry.name or self._own(
                    entry, next((name for name, item in held.items() if item is optimizer and name != "self"), "")
                )
            unnamed = [pair for pair in unnamed if not pair[0].name]
            frame = source.user_frame(frame.f_back)

    def _own(self, entry: Watched, name: str) -> str:
        """The name, numbered where a variable of that name held an optimizer made elsewhere before."""
        places = {str(other.name): None for other in self.all() if other is not entry and _made_at(other) != _made_at(entry)}
        alike = [other for other in places if other == name or other.startswith(f"{name} (")]
        return f"{name} ({len(alike) + 1})" if name and alike else name

    def stepping(self, optimizer: Optimizer) -> None:
        """An update begins: note its rates."""
        entry = self.meet(optimizer)
        if not entry.steps:
            self._count(optimizer, entry)
        entry.steps += 1
        rates = [float(group["lr"]) for group in optimizer.param_groups if isinstance(group.get("lr"), int | float)]
        if rates:
            entry.low, entry.high, entry.last = min(entry.low, *rates), max(entry.high, *rates), rates[0]
            self.rate = max(rates)
            idle = all(as_good_as_zero(rate, entry.high) for rate in rates)
            entry.idle += idle
            entry.idle_from = (entry.steps - 1 if entry.idle_from is None else entry.idle_from) if idle else None
            low = fallen_away(self.rate, entry.high)
            entry.low_from = (entry.steps - 1 if entry.low_from is None else entry.low_from) if low else None
        if not entry.first_rates:
            entry.first_rates = [_rate(group) for group in optimizer.param_groups]

    def fell_away(self, optimizer: Optimizer) -> bool:
        """Its rate has been next to nothing for most of the run, so that a step is to be looked at; told once."""
        entry = self.meet(optimizer)
        told = not entry.looked and fell_early(entry.low_from, entry.steps)
        entry.looked = entry.looked or told
        return told

    def scaler_made(self, scaler: Any, trace: source.Trace | None) -> None:
        """A gradient scaler was made."""
        self._scaler = (ref(scaler), trace)

    def scaled(self, entry: Watched, scaler: Any) -> None:
        """A gradient scaler steps an optimizer, or declines to."""
        if scaler is not None and (entry.scaler is None or entry.scaler[0]() is not scaler):
            made = self._scaler[1] if self._scaler is not None and self._scaler[0]() is scaler else None
            entry.scaler, entry.scalers = (ref(scaler), made), entry.scalers + 1

    def schedule_made(self, optimizer: Optimizer, scheduler: Any, trace: source.Trace | None) -> None:
        """A scheduler was made for it."""
        entry = self.meet(optimizer)
        entry.scheduled, entry.schedule = trace, ref(scheduler)

    def waited(self, scheduler: ReduceLROnPlateau, value: object, loss: float | None) -> None:
        """A scheduler that waits for a value to get better was given one."""
        entry = self.meet(scheduler.optimizer)
        if entry.plateau is None or entry.plateau.scheduler() is not scheduler:
            entry.plateau = PlateauWatch(ref(scheduler), scheduler.mode)
        take(entry.plateau, scheduler, value, loss, entry.steps)

    def rate_changed(self, optimizer: Optimizer, trace: source.Trace | None) -> None:
        """A scheduler set the rate."""
        entry = self.meet(optimizer)
        entry.rate_set = trace
        entry.laid_out = _laid_out(entry.schedule() if entry.schedule is not None else None)

    def records(self, names: Mapping[int, str], builder: Builder) -> tuple[Record, ...]:
        """The neutral record of each. `names` maps parameter ids to qualified names."""
        found = (self._record(entry, names, builder) for entry in self.all())
        return tuple(record for record in found if record is not None)

    def scalers(self, builder: Builder) -> tuple[Origin, ...]:
        """Where the gradient scaler of each optimizer was made, the last one of several."""
        known = ((self.name(entry), builder.site(entry.scaler[1])) for entry in self.all() if entry.scaler is not None)
        return tuple(Origin(optimizer=name, setting="scaler", site=site) for name, site in known if site is not None)

    def _unreached(self, entry: Watched, builder: Builder) -> Site | None:
        """The call of its `step` that stands in the source and never ran, or the method's name without the parentheses of a call."""
        if entry.steps or entry.made is None:
            return None
        last = re.escape(self.name(entry).rpartition(".")[2])
        uncalled = builder.sources.anywhere(rf"(?<=\s)(\w+\.)*{last}\.step(?=\s*$)")
        pattern = _unreached_pattern(self.name(entry))
        found = uncalled or builder.sources.only(entry.made.user[0][0].co_filename, pattern)
        # in another file a line of that name may be another optimizer's, if any has stepped
        return found or (None if self.updates() else builder.sources.anywhere(pattern))

    def _record(self, entry: Watched, names: Mapping[int, str], builder: Builder) -> Record | None:
        optimizer = entry.reference()
        if optimizer is not None:
            orphans = [p for p in _parameters(optimizer) if id(p) not in names]
            entry.last_record = Record(
                self.name(entry),
                entry.native,
                tuple(_group(group, entry, at, names) for at, group in enumerate(optimizer.param_groups)),
                tuple(f"{dtype_name(p.dtype)}[{','.join(map(str, p.shape))}]" for p in orphans),
                builder.site(entry.made),
                writes_site=writing_site(optimizer, builder.sources),
            )
        return self._counted(entry, builder) if entry.last_record is not None else None

    def _counted(self, entry: Watched, builder: Builder) -> Record | None:
        """What was counted over the whole run, also of an optimizer that is gone by now."""
        assert entry.last_record is not None
        made = self._made[entry.key].times if entry.key in self._made else 1
        return replace(
            entry.last_record,
            steps=entry.steps,
            rates=(entry.low, entry.high) if entry.high >= entry.low else None,
            last_rate=entry.last,
            rate_site=builder.site(entry.rate_set),
            schedule_site=builder.site(entry.scheduled),
            idle_steps=entry.idle,
            idle_from=entry.idle_from,
            low_from=entry.low_from,
            made=made,
            skipped=entry.skipped,
            plateau=entry.plateau.record() if entry.plateau is not None else None,
            scalers=entry.scalers,
            laid_out=entry.laid_out,
            step_site=builder.site(entry.skip_trace) if entry.skip_trace is not None else self._unreached(entry, builder),
        )


def _laid_out(scheduler: Any) -> tuple[int, int] | None:
    """The length that a scheduler was told, and how far it has come."""
    length, at = getattr(scheduler, "total_steps", None), getattr(scheduler, "last_epoch", None)
    return (length, at) if isinstance(length, int) and isinstance(at, int) and length > 0 <= at else None


def _unreached_pattern(name: str) -> str:
    return rf"\b{re.escape(name)}\.step\s*\(\s*\)?"


def _group(group: Mapping[str, Any], entry: Watched, at: int, names: Mapping[int, str]) -> Group:
    held = tuple(names[id(p)] for p in group["params"] if id(p) in names)
    settings: dict[str, Attribute] = {}
    for key, value in group.items():
        if key not in ("params", "lr") and isinstance(value, bool | int | float | str):
            settings[key] = value
        elif key == "betas" and isinstance(value, tuple):
            settings.update({f"beta{number}": float(beta) for number, beta in enumerate(value, 1)})
    rate = entry.first_rates[at] if at < len(entry.first_rates) else _rate(group)
    return Group(rate, held, settings)


def _rate(group: Mapping[str, Any]) -> float | None:
    rate = group.get("lr")
    return float(rate) if isinstance(rate, int | float | Tensor) else None


def _parameters(optimizer: Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _made_at(entry: Watched) -> object:
    return entry.made.user if entry.made is not None else None
