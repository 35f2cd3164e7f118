"""The recorder: when a step begins and ends, what is recorded of it, and when it is examined."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from whygrad.frontends import Recording, source
from whygrad.frontends.kinds import Kinds
from whygrad.frontends.torch import _compat
from whygrad.frontends.torch.activations import Activations
from whygrad.frontends.torch.assembly import Assembly
from whygrad.frontends.torch.batches import Loaders
from whygrad.frontends.torch.calls import Call, Happened, tensors_in
from whygrad.frontends.torch.hooks import Hooks
from whygrad.frontends.torch.keras import Keras
from whygrad.frontends.torch.ledger import Ledger
from whygrad.frontends.torch.lowering import Function
from whygrad.frontends.torch.mixed import Mixed
from whygrad.frontends.torch.mode import RecordingMode
from whygrad.frontends.torch.modules import Modules
from whygrad.frontends.torch.optimizers import Optimizers
from whygrad.frontends.torch.pairs import Pairs
from whygrad.frontends.torch.patches import Patches
from whygrad.frontends.torch.rebound import rebound
from whygrad.frontends.torch.refused import refused_step
from whygrad.frontends.torch.running import Running, along, decorated, user_part
from whygrad.frontends.torch.steps import Builder
from whygrad.frontends.torch.symptoms import Symptoms
from whygrad.frontends.torch.unrecorded import Unrecorded
from whygrad.frontends.torch.untracked import AGAIN, Untracked
from whygrad.frontends.torch.watching import ParameterWatch
from whygrad.frontends.turns import Turns
from whygrad.ir import Ending, Outcome, Record, Step
from whygrad.replay import Observer

REPEATED = ("freeze", "unfreeze", "clear", "update", "load", "assign")
"""Events that come once for each parameter, and are one event."""
MOST_UNTRACKED = 4096
"""Calls in a row without gradients that are recorded: an evaluation has many more and belongs to no step. A GPT's evaluation of 66,000 calls made
a run of 13 s last 47 s."""


class TorchRecorder:
    """Watches one program. Everything that the user's program calls is guarded."""

    def __init__(self, observer: Observer, settings: Recording) -> None:
        self.observer = observer
        self.settings = settings
        self.thread = threading.get_ident()
        self.sources = source.Sources(time.time())
        self.ledger = Ledger()
        self.modules = Modules()
        self.optimizers = Optimizers()
        self.loaders = Loaders()
        self.pairs = Pairs(self.loaders)
        self.watch = ParameterWatch()
        self.activations = Activations(self.ledger)
        self.builder = Builder(self.ledger, self.sources)
        self.kinds = Kinds(settings.steps)
        self.mode = RecordingMode(self)
        self.hooks = Hooks(self)
        self.patches = Patches(self.hooks)
        self.assembly = Assembly(self.ledger, self.modules, self.optimizers, self.activations, self.watch, self.builder)
        self.running = Running()
        self.symptoms = Symptoms()
        self.unrecorded = Unrecorded(self)
        self.keras = Keras(self)
        self.steps: list[Step] = []
        self.index = self.backwards = 0
        self.on = self.in_place = False
        """The mode is on, or set aside while one of its calls runs."""
        self.quiet = 0
        """How many of our own functions are running: nothing is recorded meanwhile."""
        self.stopped = self.in_update = self.in_closure = False
        self.untracked = 0
        """Calls in a row without gradients."""
        self.compiled_used = False
        self.limits: list[str] = [text] if (text := _compat.untested_version()) else []
        self.refused = False
        """A backward outside the recorded steps raised."""
        self.refused_under: source.Trace | None = None
        """The switch that had left tracking off when it did."""
        self.tracking_switch: source.Trace | None = None
        """Where tracking was last switched off by a call that is not undone by itself."""
        self.left_off = Untracked()
        self.mixed = Mixed()
        self.turns = Turns(self.sources, tuple(filter(None, (_compat.loader_iterator(),))))
        self.next_site: tuple[str, int] | None = None
        self.last_mode: tuple[str, source.Trace | None, str, str] | None = None
        """The last `train()` or `eval()` that came while nothing was recorded: kind, place, module and its class."""

    # --- on and off ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Put the patches in and begin to record, unless a later step was asked for."""
        try:
            self.patches.install()
            if not self.settings.at_step:
                self.switch_on()
        except Exception:
            self.stop()
            raise

    def switch_on(self) -> None:
        """Record from here on."""
        if not self.on:
            self.on = True
            if not self.in_place:
                _compat.put_on(self.mode)
                self.in_place = True
            self.modules.attach(self.hooks.entering, self.hooks.leaving)
            self.set_stance("force_eager")
            if self.last_mode is not None:
                self.note_mode(self.last_mode)
                self.last_mode = None

    def switch_off(self) -> None:
        """Stop recording; the patches stay."""
        if self.on:
            self.on = False
            self.set_stance("default")
            self.withdraw()

    def withdraw(self) -> None:
        """Take the mode off, now or as soon as none of its own calls is running: while one is, PyTorch would put it back."""
        if self.in_place and not self.on and threading.get_ident() == self.thread and _compat.take_off(self.mode):
            self.in_place = False
            self.modules.release()

    def set_stance(self, stance: str) -> None:
        """Compiled code runs eagerly while a step is recorded."""
        if self.compiled_used:
            torch.compiler.set_stance(stance)
            _compat.excuse_eager_call()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While our own code runs, nothing is recorded."""
        self.quiet += 1
        try:
            yield
        finally:
            self.quiet -= 1

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """The same, where nothing of the program's runs inside: its profiler does not count it."""
        with self.aside(), _compat.unprofiled():
            yield

    @property
    def listening(self) -> bool:
        """Calls are recorded."""
        return self.on and not self.quiet

    def broken(self, where: str, problem: BaseException) -> None:
        """A fault of ours: stop recording, tell, and let the program run on."""
        self.stop()
        self.observer.fault(f"the PyTorch recorder, in `{where}`", problem)

    def stop(self) -> None:
        """Take every hook out; what was recorded stays."""
        if not self.stopped:
            self.stopped = True
            self.patches.remove()
            self.switch_off()
        self.withdraw()

    # --- calls (the mode's listener) ------------------------------------------------------------------------------

    def function(self, function: Callable[..., Any]) -> Function:
        """What is known of a function."""
        return self.ledger.function(function)

    def before(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], frame: FrameType) -> Call | None:
        """A call is about to run."""
        if threading.get_ident() != self.thread or self.in_update:
            return None
        try:
            info = self.ledger.function(function)
            if info.quiet:
                self._switch(info, args, frame)
                return None
            if self._evaluating(info):
                return None
            if info.base == "requires_grad":
                self._trainable(args[0], frame, on=bool(args[1] if len(args) > 1 else kwargs.get("requires_grad", True)))
            with self.unseen():
                call = self.ledger.before(function, info, args, kwargs, frame)
                if call is not None:
                    call.module, call.layer = self.modules.path(), self.modules.layer()
                return call
        except Exception as problem:  # noqa: BLE001 - the program must not notice
            self.broken("before", problem)
            return None

    def _evaluating(self, info: Function) -> bool:
        """Gradients have been off for longer than any part of a step takes. What writes in place may be an update by hand."""
        self.untracked = 0 if torch.is_grad_enabled() else self.untracked + 1
        return self.untracked > MOST_UNTRACKED and not info.in_place

    def after(self, call: Call, result: Any, frame: FrameType) -> None:
        """A call returned."""
        try:
            with self.unseen():
                self._boundary(result)
                if not self.on:
                    return
                self.ledger.after(call, result)
                if call.full:
                    call.scope = self.activations.scope(frame)
                    self._strays(call)
                elif call.info.in_place:
                    self._hand_update(call)
        except Exception as problem:  # noqa: BLE001 - the program must not notice
            self.broken("after", problem)

    def failed(self, call: Call, problem: BaseException, frame: FrameType) -> None:
        """A call raised."""
        _ = problem
        try:
            with self.unseen():
                if self.running.updated and not self.in_closure and self.ledger.tracked(call):
                    self.end_step(going_on=True)
                self.ledger.failed(call)
                call.scope = self.activations.scope(frame)
        except Exception as fault:  # noqa: BLE001 - the program must not notice
            self.broken("failed", fault)

    def _boundary(self, result: Any) -> None:
        """The first differentiable call after an update begins the next step."""
        if self.running.updated and not self.in_closure and any(t.requires_grad and not _compat.is_leaf(t) for _, t in tensors_in(result)):
            self.end_step()

    def _strays(self, call: Call) -> None:
        if self.modules.stack:
            for slot in call.slots:
                if slot.held is not None and _compat.is_leaf(slot.held) and slot.held.requires_grad:
                    self.modules.note_leaf(slot.held)

    def _switch(self, info: Function, args: tuple[Any, ...], frame: FrameType) -> None:
        """Calls that make no value but change the state: gradient tracking, trainability, gradients cleared one by one."""
        if info.base == "set_grad_enabled":
            with self.aside():
                self.ledger.region += 1
                self.happened("tracking", frame, attributes={"on": bool(args[0])})
        elif info.base == "requires_grad.set":
            self._trainable(args[0], frame, on=bool(args[1]))
        elif info.base == "grad.set" and len(args) > 1 and args[1] is None:
            self.happened("clear", frame, (args[0],))
        elif info.base == "grad.set" and len(args) > 1 and isinstance(args[1], Tensor) and not self.running.backwards:
            self.watch.written(args[0], args[1])
            self.happened("assign", frame, (args[0],))
        elif info.base == "register_hook" and _compat.is_leaf(args[0]) and args[0].requires_grad:
            with self.aside():
                self.happened("hook", frame, (args[0],))

    def _trainable(self, tensor: Tensor, frame: FrameType, *, on: bool) -> None:
        with self.aside():
            if not (on and rebound(self, tensor, frame)) and _compat.is_leaf(tensor) and tensor.requires_grad != on:
                self.happened("unfreeze" if on else "freeze", frame, (tensor,))

    def _hand_update(self, call: Call) -> None:
        """A trainable parameter was written to by the program itself, after a backward: an update without an optimizer."""
        if not self.running.backwards or self.in_closure:
            return
        target = next((slot.reference() for slot in call.slots[:1]), None)
        parameter = self._parameter_behind(target) if target is not None else None
        if parameter is None or (parameter.grad is None and not self.running.losses):
            return
        self.happened("update", sys._getframe(3), (parameter,), attributes=along(call, parameter))
        self.updated([parameter])

    def note_mode(self, happened: tuple[str, source.Trace | None, str, str]) -> None:
        """`train()` or `eval()` was called."""
        kind, trace, name, owner = happened
        self.ledger.events.append(Happened(kind, self.ledger.at, (name,), trace, {"class": owner}))

    def updated(self, parameters: list[Tensor]) -> None:
        """Parameters were updated: the step ends with the next forward."""
        self.running.updated = True
        self.running.changed.update(self.ledger.identity.meet(p).number for p in parameters if p.grad is not None or self.running.losses)
        self.watch.after_update(parameters, measured=True)

    def _parameter_behind(self, tensor: Tensor) -> Tensor | None:
        """The recorded trainable parameter that a tensor is, or shares its memory with."""
        storage = self.ledger.identity.storage(tensor)
        for parameter in self.assembly.parameter_tensors(self.running):
            if parameter is tensor or (storage is not None and self.ledger.identity.storage(parameter) == storage):
                return parameter if parameter.requires_grad else None
        return None

    def happened(
        self,
        kind: str,
        frame: FrameType | None,
        tensors: tuple[Tensor, ...] = (),
        names: tuple[str, ...] = (),
        attributes: dict[str, Any] | None = None,
    ) -> None:
        """Note an event; events of one kind and place in a row are one."""
        trace = decorated(frame) or source.trace(frame)
        targets: tuple[Any, ...] = (*names, *(self.ledger.identity.meet(tensor).number for tensor in tensors))
        events = self.ledger.events
        last = events[-1] if events and events[-1].kind == kind and kind in REPEATED else None
        if last is not None and user_part(last.trace) == user_part(trace):
            last.targets = tuple(dict.fromkeys((*last.targets, *targets)))
        else:
            events.append(Happened(kind, self.ledger.at, targets, trace, attributes or {}))

    # --- steps ----------------------------------------------------------------------------------------------------

    def end_step(self, *, going_on: bool = False) -> None:
        """The recorded step under way is over: keep it, drop its calls, decide whether to go on recording; `going_on`: not yet."""
        if not self.running.backwards and not self.running.updated:
            return
        self._close()
        self.ledger.drop_dependents(self.running.changed)
        self.ledger.drop_dead()
        self._next()
        if self.kinds.complete and not going_on:
            self.switch_off()
            self.ledger.forget()
        self.observer.ended(self.index - 1, self.kinds.complete)

    def _close(self) -> None:
        """Turn what was recorded into a step."""
        boundary = self._boundary_at()
        events, later = _parted(self.ledger.events, boundary)
        step = self.assembly.build(self.index, self.running, [call for call in self.ledger.calls if call.at <= boundary], events)
        kind = self.kinds.kind(self.running.optimizers, self.running.sites)
        kept = self.kinds.wants(kind) and not self.running.partial
        self.symptoms.over(kept=kept)
        if kept:
            self.kinds.recorded(kind)
            self.steps.append(replace(step, kind=kind))
            self.observer.keep(self.steps[-1])
            self.observer.draft(self.draft())
        self.ledger.events = later

    def _boundary_at(self) -> int:
        """The last call that belongs to the step: what came after its last update belongs to the next."""
        ends = [event.at for event in self.ledger.events if event.kind in ("optimizer_step", "update")]
        return max(ends) if ends and self.running.updated else self.ledger.at

    def _next(self) -> None:
        self.index += 1
        self.running = Running()
        self.watch.begin_step()
        self.activations.clear()

    def end_unrecorded(self) -> None:
        """A step that was not recorded is over: count it, and see whether its kind is still wanted."""
        kind = self.kinds.kind(self.running.optimizers, self.running.sites)
        if self.settings.at_step is None or self.kinds.asked:
            self.kinds.noticed(kind)
        self._next()
        if self.next_site is not None:
            self.running.sites.append(self.next_site)
            self.next_site = None
        self.observer.ended(self.index - 1, self.kinds.complete)

    # --- the whole record -------------------------------------------------------------------------------------------

    def draft(self) -> Record:
        """All that is known so far."""
        with self.aside():
            return Record(
                frameworks=self.keras.frameworks(),
                outcome=self.left_off.counted(Outcome(None, None, self.index, self.backwards, updates_seen=self.optimizers.updates())),
                steps=tuple(self.unrecorded.spoilt.into(self.symptoms.with_births(step), self.builder) for step in self.steps),
                optimizers=self.optimizers.records(self.assembly.names, self.builder),
                batches=self.loaders.records(self.builder),
                courses=self.symptoms.records(self.builder),
                origins=self.unrecorded.origins(),
                evaluated=self.builder.site(self.modules.evaluated),
                collations=self.pairs.collations(self.builder),
                turnings=self.pairs.turnings(self.builder),
                emptied=self.turns.emptied(),
                loadings=self.modules.loadings.records(self.builder),
                redraws=self.modules.redraws.records(self.builder),
                limits=tuple(dict.fromkeys(self.limits)),
            )

    def finish(self, outcome: Outcome) -> Record:
        """The program has ended: judge the step that it ended in, and return everything."""
        was_on = self.on and not self.stopped
        if torch.is_grad_enabled():  # a block that had switched tracking off is over
            self.left_off.begin(None)
        self.stop()
        if was_on:
            self._last_step(outcome)
        elif self.refused and outcome.exception is not None and self.steps:
            self.steps.append(refused_step(self, outcome.exception))
            self.index += 1
        elif outcome.exception is not None and outcome.exception.not_finite:
            self.unrecorded.stopped(self.observer.problem)
        seen = self.index + (not self.on and not was_on and bool(self.running.backwards))
        if self.sources.changed:
            self.limits.append(
                "sources changed after the program started, so that their text is not shown: " + ", ".join(sorted(self.sources.changed))
            )
        self.unrecorded.ended()
        record = self.draft()
        record = replace(record, fits=self.pairs.fits(record))
        outcome = self.modules.explained(outcome, self.builder.site, self.ledger.events).counting(record.outcome)
        return replace(record, outcome=replace(outcome, steps_seen=seen), endings=self._endings())

    def _last_step(self, outcome: Outcome) -> None:
        """The step that the program ended in: with a backward, a failed call, or a loss that was never differentiated."""
        unfinished = self.running.backwards or self.running.updated
        if not unfinished and (self.left_off.never_asked >= AGAIN or any(call.full or call.failed for call in self.ledger.calls)):
            self.running.seen = self.running.seen or self.assembly.known_parameters()
        if unfinished or self.running.seen:
            if outcome.exception is not None:
                self.ledger.events.append(
                    Happened("exception", self.ledger.at, (), None, {"type": outcome.exception.type, "message": outcome.exception.message})
                )
            step = self.assembly.build(self.index, self.running, self.ledger.calls, self.ledger.events)
            self.steps.append(replace(step, kind=self.kinds.kind(self.running.optimizers, self.running.sites)))
            self.index += 1

    def _endings(self) -> dict[str, Ending]:
        self.watch.look()
        return {entry.name: Ending(entry.changed, entry.gradient_seen, entry.finite()) for entry in self.watch.first.values() if entry.name}


def _parted(events: list[Happened], boundary: int) -> tuple[list[Happened], list[Happened]]:
    """The events of a step, and those that came after it. An evaluation that follows is no part of it: its switches come in pairs."""
    updates = [at for at, event in enumerate(events) if event.kind in ("optimizer_step", "update")]
    last = updates[-1] if updates else len(events)
    own = [
        event.kind == "optimizer_step" or (event.at <= boundary and not (event.kind == "tracking" and at > last))
        for at, event in enumerate(events)
    ]
    return [event for event, mine in zip(events, own, strict=True) if mine], [e for e, mine in zip(events, own, strict=True) if not mine]
