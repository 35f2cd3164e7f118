"""The calls of the present step: who made which value from what. Bounded: what nothing living came from is dropped."""

import sys
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.parameter import is_lazy

from whygrad.frontends import source
from whygrad.frontends.torch import statistics
from whygrad.frontends.torch._compat import autocast_state, is_leaf, is_wrapped, random_states
from whygrad.frontends.torch.calls import WRAP, Autocast, Call, Happened, Seen, Slot, gone, replaced, slot_of, tensors_in, with_drawn
from whygrad.frontends.torch.handing import hand_over
from whygrad.frontends.torch.identity import Identity, Known, before_write, version_of
from whygrad.frontends.torch.lowering import (
    OVERWRITES,
    UNSEEN_WRITES,
    Function,
    arrangement,
    describe,
    kind_of,
    ordered,
    refined_kind,
    settings,
    target_name,
)
from whygrad.frontends.travel import Travel
from whygrad.ir import family

NARROW = frozenset((torch.uint8, torch.int8, torch.int16))
"""Integers so short that arithmetic on pixels or samples wraps around: its figures are gathered wherever it happens."""
RESERVING = ("empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided")
"""Functions that reserve memory and leave in it what was there."""
DYING = ("relu", "hardtanh", "gelu", "silu")
"""Activations whose units can be zero for every example."""
PRUNE_AT = 4_000
"""Calls after which those with nothing living behind them are dropped: a few megabytes."""


MOST_PREPARING = 4_000
"""Calls without a gradient that are kept: what prepared the data, as far back as anyone would look."""


class Ledger:
    """Records calls. Knows nothing of steps, modules or optimizers."""

    def __init__(self) -> None:
        self.identity = Identity()
        self.calls: list[Call] = []
        self.values: dict[str, Seen] = {}
        self.names: dict[int, str] = {}
        """Object number to the name that the user's code gives it."""
        self.events: list[Happened] = []
        self.travel = Travel()
        self.at = 0
        self.region = 0
        self.block = 0
        self.in_autocast = 0
        self._functions: dict[Any, Function] = {}
        self._producer: dict[str, Call] = {}
        self._writes: dict[int, Call] = {}
        self._holders: dict[int, list[Slot]] = {}
        self._prune_at = PRUNE_AT
        self._alias: dict[int, str] = {}
        self.unwritten: set[int] = set()
        """Storages that were reserved and not written to since."""

    # --- one call -----------------------------------------------------------------------------------------------

    def function(self, function: Callable[..., Any]) -> Function:
        """What is known of a function; described once."""
        try:
            return self._functions[function]
        except KeyError:
            found = self._functions[function] = describe(function)
            return found
        except TypeError:  # not hashable
            return describe(function)

    def before(
        self, function: Callable[..., Any], info: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any], frame: FrameType
    ) -> Call | None:
        """Note a call that is about to run; None for one that must not be looked into."""
        arguments = ordered(info, args, kwargs)
        found = [tensor for _, tensor in tensors_in(arguments)]
        if any(is_wrapped(tensor) or is_lazy(tensor) for tensor in found):
            return None
        slots = tuple(self.slot(tensor) for tensor in found)
        overwritten = None
        if info.in_place or "out" in kwargs:
            self._keep_old(found[:1] + ([kwargs["out"]] if isinstance(kwargs.get("out"), Tensor) else []))
            overwritten = before_write(found)
        call = Call(
            self.at,
            function,
            info,
            args,
            with_drawn(kwargs),
            slots,
            kind_of(info, bool(found) and "out" not in kwargs),
            settings(info, arguments),
            source.trace(frame),
            torch.is_grad_enabled(),
            self.region,
        )
        call.random = random_states()
        call.overwritten = overwritten
        call.unseen = _unseen_writes(call, arguments)
        if info.kind != "opaque" and family(info.kind) == "loss":
            self._mark_target(call, arguments, found)
        if self.in_autocast and found:
            call.autocast = Autocast(self.block, autocast_state(found[0].device.type))
        self._name_inputs(frame, found, slots)
        self.at += 1
        return call

    def after(self, call: Call, result: Any) -> None:
        """Note what a call returned."""
        inputs = {slot.number: slot for slot in call.slots}
        made = [(path, tensor) for path, tensor in tensors_in(result) if not is_wrapped(tensor)]
        if call.kind == "leave":
            self._leave(call, result)
        fresh = [(path, tensor) for path, tensor in made if self._is_new_value(tensor, inputs)]
        self._note_writes(call, fresh)
        self.unwritten.difference_update(call.storages)
        if call.info.base in RESERVING:
            self.unwritten.update(number for _, tensor in fresh if (number := self.identity.storage(tensor)) is not None)
        if not fresh and not call.storages and call.kind != "leave":
            return
        self._settle(call, result, fresh)
        if call.kind == "integer_cast":
            self.measure(slot.value for slot in call.slots)  # what is cut off is gone with what it was cut from
        self._append(call)

    def failed(self, call: Call) -> None:
        """Note a call that raised."""
        call.failed = True
        call.full = any(self.values[slot.value].differentiable for slot in call.slots)
        call.carries = tuple(self.values[slot.value].differentiable for slot in call.slots)
        if call.full:
            self._measure_inputs(call)
        self._finish_arguments(call, hold=call.full)
        self._append(call)

    def tracked(self, call: Call) -> bool:
        """Whether a call reads something that a gradient can flow to, while gradients are tracked."""
        return call.tracking and any(self.values[slot.value].differentiable for slot in call.slots)

    def slot(self, tensor: Tensor) -> Slot:
        """The present value of a tensor as an argument; a change that was not seen makes a new value without a maker."""
        entry = self.identity.meet(tensor)
        version = version_of(tensor)
        if version != entry.version:
            self._moved(entry, tensor, version)
        if entry.name not in self.values:
            self._meet(entry, tensor)
        self.values[entry.name].differentiable = tensor.requires_grad  # it may have been switched on or off since
        return slot_of(tensor, entry.number, entry.name, version)

    def _meet(self, entry: Known, tensor: Tensor) -> None:
        seen = self.values[entry.name] = Seen(tensor.dtype, tuple(tensor.shape), tensor.requires_grad, entry.number)
        seen.graphed = tensor.requires_grad and not is_leaf(tensor)
        storage = self.identity.storage(tensor)
        if storage is not None:
            source_value = self._alias.get(storage)
            if source_value is not None and source_value != entry.name and source_value in self.values:
                self.link("detach" if not tensor.requires_grad or is_leaf(tensor) else "copy", source_value, entry, tensor)
            self._alias[storage] = entry.name

    def _moved(self, entry: Known, tensor: Tensor, version: int) -> None:
        """A tensor changed since it was last seen: by a write through a view of it, or unseen."""
        old = entry.name
        entry.version = version
        entry.writes += 1
        storage = self.identity.storage(tensor)
        writer = self._writes.get(storage) if storage is not None else None
        self.values[entry.name] = Seen(tensor.dtype, tuple(tensor.shape), tensor.requires_grad, entry.number)
        if writer is not None and writer.made:
            self.link("write", old, entry, tensor, writer.made[0])

    def link(self, kind: str, old: str, entry: Known, tensor: Tensor, *more: str) -> None:
        """A value that came about without a call: an alias, or a write through a view."""
        seen = [self.values[name] for name in (old, *more) if name in self.values]
        slots = tuple(Slot(item.number, name, gone()) for name, item in zip((old, *more), seen, strict=False))
        native = WRAP if kind == "detach" and isinstance(tensor, Parameter) and self.computed(old) else "alias"
        info = Function("alias", native, kind, quiet=True, in_place=False, signature=None)
        frame = source.user_frame(sys._getframe(1))
        call = Call(self.at, _no_call, info, (), {}, slots, kind, {}, source.trace(frame), tracking=True, region=self.region)
        call.made, call.outputs = (entry.name,), (entry.number,)
        call.full = kind != "detach" and tensor.requires_grad
        call.carries = tuple(call.full and item.differentiable for item in seen)
        self.at += 1
        self._append(call)

    def wrapped(self, parameter: Tensor) -> None:
        """A parameter was given to a module: where it is made of a value that has a gradient, that is the place where the gradient is lost."""
        storage = self.identity.storage(parameter)
        if storage is not None and self.computed(self._alias.get(storage, "")):
            self.slot(parameter)

    def computed(self, name: str) -> bool:
        """A recorded call made the value, and a gradient can flow back through it."""
        return name in self._producer and self._producer[name].full

    # --- details ------------------------------------------------------------------------------------------------

    def _is_new_value(self, tensor: Tensor, inputs: Mapping[int, Slot]) -> bool:
        entry = self.identity.known(tensor)
        if entry is None or entry.name not in self.values:
            return True
        before = inputs[entry.number].version if entry.number in inputs else entry.version
        return before != version_of(tensor)

    def _note_writes(self, call: Call, fresh: list[tuple[tuple[int | str, ...], Tensor]]) -> None:
        """In-place changes: of the arguments that the call returned, and of those that it did not."""
        written = []
        for slot in call.slots:
            changed = slot.reference()
            if changed is not None and slot.version != version_of(changed):
                written.append(changed)
        if call.info.base == "data.set" and call.slots:
            tensor = call.slots[0].reference()
            written += [tensor] if tensor is not None else []
        written += [tensor for tensor in call.unseen if all(other is not tensor for other in written)]
        call.unseen = ()
        for tensor in written:
            entry = self.identity.meet(tensor)
            entry.version = version_of(tensor)
            entry.writes += 1
            if all(other is not tensor for _, other in fresh):
                fresh.append((("argument", entry.number), tensor))
        call.storages = tuple(number for tensor in written if (number := self.identity.storage(tensor)) is not None)

    def _settle(self, call: Call, result: Any, fresh: list[tuple[tuple[int | str, ...], Tensor]]) -> None:
        entries = [self.identity.meet(tensor) for _, tensor in fresh]
        for entry, (_, tensor) in zip(entries, fresh, strict=True):
            entry.version = version_of(tensor)
            self.values[entry.name] = Seen(tensor.dtype, tuple(tensor.shape), tensor.requires_grad, entry.number)
            storage = self.identity.storage(tensor)
            if storage is not None:
                self._alias[storage] = entry.name
        call.outputs = tuple(entry.number for entry in entries)
        call.made += tuple(entry.name for entry in entries)
        call.places = tuple(path for path, _ in fresh)
        call.full = any(tensor.requires_grad and not is_leaf(tensor) for _, tensor in fresh)
        call.carries = tuple(call.full and self.values[slot.value].differentiable for slot in call.slots)
        first = fresh[0][1].dtype if fresh else None
        before = self.values[call.slots[0].value].dtype if call.slots else None
        call.kind = refined_kind(call.kind, before, first, two_tensors=len(call.slots) > 1)
        if call.info.in_place and call.info.base in OVERWRITES:
            call.settings["overwrites"] = True
        hand_over(self, call)
        call.settings |= arrangement(call.kind, call.function, call.info, call.args, call.kwargs, result)
        if call.kind == "enter":
            call.came_back = self.travel.came_back(call.args[0] if call.args else call.kwargs.get("data"))
        self._measure(call, fresh)
        self._finish_arguments(call, hold=call.full)

    def _measure(self, call: Call, fresh: list[tuple[tuple[int | str, ...], Tensor]]) -> None:
        wraps = not call.full and call.kind in ("add", "sub", "mul", "neg") and any(tensor.dtype in NARROW for _, tensor in fresh)
        if not call.full and not wraps:
            return
        for _, tensor in fresh:
            self.values[self.identity.meet(tensor).name].pending = statistics.start(tensor, units=call.kind in DYING)
        self._measure_inputs(call)

    def _measure_inputs(self, call: Call) -> None:
        loss = family(call.kind) == "loss"
        for slot in call.slots:
            seen, tensor = self.values[slot.value], slot.reference()
            if tensor is not None and (seen.pending is None or loss):
                external = not seen.differentiable
                seen.pending = statistics.start(tensor, whole=external or loss, count_distinct=external, rows=loss)

    def measure(self, names: Iterable[str]) -> None:
        """Gather the figures of living values that no differentiable call read: labels that nothing reads."""
        alive = self.identity.alive()
        for name in names:
            seen = self.values.get(name)
            if seen is not None and seen.pending is None and seen.number in alive:
                seen.pending = statistics.start(alive[seen.number], whole=True, count_distinct=True)

    def _finish_arguments(self, call: Call, *, hold: bool) -> None:
        """Replace tensors among the arguments by slots; hold those that a replay can't compute again."""
        by_id = {id(tensor): slot for slot in call.slots if (tensor := slot.reference()) is not None}
        if hold:
            for slot in call.slots:
                tensor = slot.reference()
                if call.overwritten is not None and slot is call.slots[0]:
                    slot.held, call.overwritten = call.overwritten, None
                elif tensor is not None and (
                    not self.values[slot.value].differentiable or is_leaf(tensor) or slot.value not in self._producer
                ):
                    slot.held = tensor
                    storage = self.identity.storage(tensor)
                    if storage is not None and not tensor.requires_grad:
                        self._holders.setdefault(storage, []).append(slot)
        call.args = replaced(call.args, lambda item: by_id.get(id(item), item) if isinstance(item, Tensor) else item)
        call.kwargs = {
            key: replaced(item, lambda leaf: by_id.get(id(leaf), leaf) if isinstance(leaf, Tensor) else leaf)
            for key, item in call.kwargs.items()
        }
        if call.random is not None:
            now = random_states()
            if all(torch.equal(old, new) for old, new in zip(call.random, now, strict=False)) and len(now) == len(call.random):
                call.random = None

    def _keep_old(self, targets: Iterable[Tensor]) -> None:
        """Copy what an in-place call is about to overwrite, where an earlier call needs it again."""
        for tensor in targets:
            storage = self.identity.storage(tensor) if not is_wrapped(tensor) else None
            for slot in self._holders.pop(storage, ()) if storage is not None else ():
                if slot.held is not None:
                    slot.held = slot.held.detach().clone()

    def _mark_target(self, call: Call, arguments: Mapping[str, Any], found: list[Tensor]) -> None:
        name = target_name(arguments)
        if name is not None and isinstance(arguments[name], Tensor):
            call.settings["target"] = next(at for at, tensor in enumerate(found) if tensor is arguments[name])

    def _leave(self, call: Call, result: object) -> None:
        if call.slots:
            name = f"p{call.at}"
            self.travel.left(name, result)
            call.made = (name,)

    def _name_inputs(self, frame: FrameType, found: list[Tensor], slots: tuple[Slot, ...]) -> None:
        unnamed = [(tensor, slot.number) for tensor, slot in zip(found, slots, strict=True) if slot.number not in self.names]
        if not unnamed:
            return
        user = source.user_frame(frame)
        if user is None:
            return
        self._search(user.f_locals, unnamed)
        outside = [(tensor, number) for tensor, number in unnamed if number not in self.names and not tensor.requires_grad]
        if outside and user.f_globals is not user.f_locals:
            self._search(user.f_globals, outside)

    def _search(self, variables: Mapping[str, Any], unnamed: list[tuple[Tensor, int]]) -> None:
        for name, held in tuple(variables.items()):
            for tensor, number in unnamed:
                if held is tensor and name not in ("self", "_"):
                    self.names.setdefault(number, name)

    def _append(self, call: Call) -> None:
        self.calls.append(call)
        for name in call.made:
            self._producer[name] = call
        for storage in call.storages:
            self._writes[storage] = call
        if len(self.calls) > self._prune_at:
            self.prune()

    def is_unwritten(self, tensor: Tensor) -> bool:
        """Its memory was reserved, and nothing has written to it since, neither seen nor unseen."""
        return bool(self.unwritten) and version_of(tensor) == 0 and self.identity.storage(tensor) in self.unwritten

    # --- keeping it small ---------------------------------------------------------------------------------------

    def producer(self, name: str) -> Call | None:
        """The call that made a value, if it is still recorded."""
        return self._producer.get(name)

    def prune(self) -> None:
        """Drop calls from which nothing living was made."""
        wanted = set(self.identity.alive())
        storages: set[int] = set()
        kept: list[Call] = []
        recent = self.calls[-PRUNE_AT // 8 :]
        first_recent = recent[0].at if recent else self.at
        for call in reversed(self.calls):
            if call.at >= first_recent or not wanted.isdisjoint(call.outputs) or not storages.isdisjoint(call.storages):
                kept.append(call)
                wanted.update(slot.number for slot in call.slots)
                storages.update(call.storages)
        self._keep(_bounded(kept[::-1]))
        self._prune_at = max(PRUNE_AT, 2 * len(self.calls))

    def drop_dependents(self, changed: set[int]) -> None:
        """After an update: drop calls computed from changed tensors; what lives of them has lost its history."""
        stale, kept = set(changed), []
        for call in self.calls:
            if any(slot.number in stale for slot in call.slots):
                stale.update(call.outputs)
            else:
                kept.append(call)
        for seen in self.values.values():
            if seen.number in stale and seen.number not in changed:
                seen.carried = seen.differentiable
        self._keep(kept)
        self.travel.forget()

    def drop_dead(self) -> None:
        """At the end of a step: keep only what something living was made from."""
        wanted = set(self.identity.alive())
        kept = []
        for call in reversed(self.calls):
            if not wanted.isdisjoint(call.outputs):
                kept.append(call)
                wanted.update(slot.number for slot in call.slots)
        self._keep(kept[::-1])

    def forget(self) -> None:
        """Recording is off: hold nothing."""
        self.events = []
        self._keep([])
        self.values, self._holders, self._alias = {}, {}, {}
        self.travel.forget()

    def _keep(self, calls: list[Call]) -> None:
        self.calls = calls
        alive = self.identity.alive()
        named = {name for call in calls for name in (*call.made, *(slot.value for slot in call.slots))}
        self.values = {name: seen for name, seen in self.values.items() if name in named or seen.number in alive}
        self._producer = {name: call for call in calls for name in call.made}
        self._writes = {storage: call for call in calls for storage in call.storages}
        numbers = {seen.number for seen in self.values.values()}
        self.names = {number: name for number, name in self.names.items() if number in numbers}
        self._alias = {storage: name for storage, name in self._alias.items() if name in self.values}
        self._holders = {storage: [slot for slot in slots if slot.held is not None] for storage, slots in self._holders.items()}
        held = {id(slot) for call in calls for slot in call.slots}
        self._holders = {
            storage: left for storage, slots in self._holders.items() if (left := [slot for slot in slots if id(slot) in held])
        }


def _bounded(calls: list[Call]) -> list[Call]:
    """Without the oldest of those that are not differentiated: a value that is changed over and over has no end of history."""
    spare = sum(not call.full for call in calls) - MOST_PREPARING
    if spare <= 0:
        return calls
    seen = accumulate(not call.full for call in calls)
    return [call for call, number in zip(calls, seen, strict=True) if call.full or number > spare]


def _unseen_writes(call: Call, arguments: Mapping[str, Any]) -> tuple[Tensor, ...]:
    """Tensors that the call changes without moving their version counters."""
    if call.settings.get("training") is False:
        return ()
    return tuple(item for name in UNSEEN_WRITES.get(call.info.base, ()) if isinstance(item := arguments.get(name), Tensor))


def _no_call(*_: object, **__: object) -> None:
    """Stands for a value that came about without a call."""
