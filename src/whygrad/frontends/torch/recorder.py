"""The recorder: when a step begins and ends, what is recorded of it, and when it is examined."""

import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from whygrad.flow import StepIndex
from whygrad.flow.labels import find_labels
from whygrad.frontends import Recording, source
from whygrad.frontends.torch import _compat
from whygrad.frontends.torch.activations import Activations
from whygrad.frontends.torch.batches import Loaders
from whygrad.frontends.torch.calls import Call, Happened, tensors_in
from whygrad.frontends.torch.kinds import Kinds
from whygrad.frontends.torch.ledger import Ledger
from whygrad.frontends.torch.lowering import Function
from whygrad.frontends.torch.mode import RecordingMode
from whygrad.frontends.torch.modules import Modules, Owned
from whygrad.frontends.torch.optimizers import Optimizers
from whygrad.frontends.torch.patches import Original, Patches
from whygrad.frontends.torch.replay import Loss, TorchReplay
from whygrad.frontends.torch.steps import Builder, kept, leaves
from whygrad.frontends.torch.watching import Figures, ParameterWatch
from whygrad.ir import Ending, Framework, Graph, Measures, Outcome, Parameter, Record, Step, Trial
from whygrad.replay import Observer

MOST_EXAMINED = 4
"""Backwards of one step that are examined: accumulation over many micro-batches repeats itself."""
MOST_BACKWARDS = 64
"""A step that never updates is cut after this many backwards."""


REPEATED = ("freeze", "unfreeze", "clear", "update", "load")
"""Events that come once for each parameter, and are one event."""


def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that is called from the user's program: a fault in it ends the recording, never the program."""

    @functools.wraps(method)
    def safe(self: "TorchRecorder", *args: Any, **kwargs: Any) -> Any:
        if self.stopped or threading.get_ident() != self.thread:
            return None
        try:
            with self.aside():
                return method(self, *args, **kwargs)
        except Exception as problem:  # noqa: BLE001 - the program must not notice
            self.broken(method.__name__, problem)
            return None

    return safe


@dataclass(slots=True)
class Running:
    """The step under way."""

    backwards: int = 0
    updated: bool = False
    examined: int = 0
    measures: Measures | None = None
    trials: tuple[Trial, ...] = ()
    losses: list[str] = field(default_factory=list)
    sites: list[tuple[str, int]] = field(default_factory=list)
    optimizers: list[object] = field(default_factory=list)
    """Where the optimizers that updated were made."""
    changed: set[int] = field(default_factory=set)
    """Object numbers of updated parameters."""
    seen: dict[int, Owned] = field(default_factory=dict)
    partial: bool = False
    """Its forward began before the recording did."""


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
        self.watch = ParameterWatch()
        self.activations = Activations(self.ledger)
        self.builder = Builder(self.ledger, self.sources)
        self.kinds = Kinds(settings.steps)
        self.mode = RecordingMode(self)
        self.patches = Patches(self)
        self.running = Running()
        self.steps: list[Step] = []
        self.index = 0
        self.backwards = 0
        self.on = False
        self.quiet = 0
        """How many of our own functions are running: nothing is recorded meanwhile."""
        self.stopped = False
        self.in_update = False
        self.in_closure = False
        self.compiled_used = False
        self.limits: list[str] = [text] if (text := _compat.untested_version()) else []
        self.next_site: tuple[str, int] | None = None
        self.names: dict[int, str] = {}
        """Id of each parameter to its name, as last known."""

    # --- on and off ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Put the patches in and begin to record, unless a later step was asked for."""
        self.patches.install()
        if not self.settings.at_step:
            self.switch_on()

    def switch_on(self) -> None:
        """Record from here on."""
        if not self.on:
            self.on = True
            _compat.push(self.mode)
            self.modules.attach()
            self._stance("force_eager")

    def switch_off(self) -> None:
        """Stop recording; the patches stay."""
        if self.on:
            self.on = False
            self.modules.release()
            self._stance("default")
            if _compat.current_mode() is self.mode:
                _compat.pop()

    def _stance(self, stance: str) -> None:
        if self.compiled_used:
            torch.compiler.set_stance(stance)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While our own code runs, nothing is recorded."""
        self.quiet += 1
        try:
            yield
        finally:
            self.quiet -= 1

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
            with self.aside():
                call = self.ledger.before(function, info, args, kwargs, frame)
                if call is not None:
                    call.module = self.modules.path()
                return call
        except Exception as problem:  # noqa: BLE001 - the program must not notice
            self.broken("before", problem)
            return None

    def after(self, call: Call, result: Any, frame: FrameType) -> None:
        """A call returned."""
        try:
            with self.aside():
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
            with self.aside():
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
        if info.base == "_set_grad_enabled":
            with self.aside():
                self.ledger.region += 1
                self.happened("tracking", frame, attributes={"on": bool(args[0])})
        elif info.base == "requires_grad.set":
            self._trainable(args[0], frame, on=bool(args[1]))
        elif info.base == "grad.set" and len(args) > 1 and args[1] is None:
            self.happened("clear", frame, (args[0],))

    def _trainable(self, tensor: Tensor, frame: FrameType, *, on: bool) -> None:
        with self.aside():
            if _compat.is_leaf(tensor) and tensor.requires_grad != on:
                self.happened("unfreeze" if on else "freeze", frame, (tensor,))

    def _hand_update(self, call: Call) -> None:
        """A trainable parameter was written to by the program itself, after a backward: an update without an optimizer."""
        if not self.running.backwards or self.in_closure:
            return
        target = next((slot.reference() for slot in call.slots[:1]), None)
        parameter = self._parameter_behind(target) if target is not None else None
        if parameter is None or (parameter.grad is None and not self.running.losses):
            return
        self.happened("update", sys._getframe(3), (parameter,))
        self._updated([parameter])

    def _parameter_behind(self, tensor: Tensor) -> Tensor | None:
        """The recorded trainable parameter that a tensor is, or shares its memory with."""
        storage = self.ledger.identity.storage(tensor)
        for parameter in self.parameter_tensors():
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
        trace = _decorated(frame) or source.trace(frame)
        targets: tuple[Any, ...] = (*names, *(self.ledger.identity.meet(tensor).number for tensor in tensors))
        events = self.ledger.events
        last = events[-1] if events and events[-1].kind == kind and kind in REPEATED else None
        if last is not None and _user(last.trace) == _user(trace):
            last.targets = tuple(dict.fromkeys((*last.targets, *targets)))
        else:
            events.append(Happened(kind, self.ledger.at, targets, trace, attributes or {}))

    # --- patches --------------------------------------------------------------------------------------------------

    def backward(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`loss.backward()` and `torch.autograd.backward`."""
        frame = sys._getframe(1)
        losses = self.begin_backward(args, kwargs, frame)
        try:
            with self.aside():
                result = original(*args, **kwargs)
        except Exception:
            self.end_backward(losses, frame, raised=True)
            raise
        self.end_backward(losses, frame, raised=False)
        return result

    @guarded
    def begin_backward(self, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType) -> tuple[list[Loss], int, bool]:
        """Before a backward: which losses, and which gradients are left from the last update."""
        self.backwards += 1
        self._note_site(frame)
        if not self.on:
            if self.running.updated or self.running.backwards >= MOST_BACKWARDS:
                self.end_unrecorded()
            return [], 0, False
        tensors = kwargs.get("tensors", args[0] if args else ())
        weights = kwargs.get("grad_tensors", args[1] if len(args) > 1 else None)
        losses = self._losses(tensors, weights)
        self.optimizers.name_all(frame)
        parameters = self.parameter_tensors()
        return losses, self.watch.stale(parameters), all(p.grad is None for p in parameters)

    def _note_site(self, frame: FrameType) -> None:
        user = source.user_frame(frame)
        site = (user.f_code.co_filename, user.f_lineno) if user is not None else ("", 0)
        if self.running.updated and not self.on:
            self.next_site = site
        elif site not in self.running.sites:
            self.running.sites.append(site)

    def _losses(self, tensors: Any, weights: Any) -> list[Loss]:
        found = [tensors] if isinstance(tensors, Tensor) else list(tensors)
        given = [weights] if isinstance(weights, Tensor) or weights is None else list(weights)
        given += [None] * (len(found) - len(given))
        slots = [self.ledger.slot(tensor) for tensor in found]
        return [Loss(slot.value, slot.number, tensor, weight) for slot, tensor, weight in zip(slots, found, given, strict=False)]

    @guarded
    def end_backward(self, begun: tuple[list[Loss], int, bool] | None, frame: FrameType, *, raised: bool) -> None:
        """After a backward: gradients, and the experiments on the step while it can still be replayed."""
        self.running.backwards += 1
        if not self.on or begun is None:
            return
        losses, stale, fresh = begun
        self.happened("backward", frame, (), tuple(loss.value for loss in losses), {"stale": stale, "failed": raised})
        self._name_losses(losses, frame)
        self.running.losses += [loss.value for loss in losses]
        self._gather()
        if any(loss.tensor.grad_fn is not None and self.ledger.producer(loss.value) is None for loss in losses):
            self.running.partial = True
        elif self.running.examined < MOST_EXAMINED:
            self.running.examined += 1
            self._examine(losses, fresh=fresh and not raised)
        if self.running.backwards >= MOST_BACKWARDS and not self.running.updated:
            self.end_step()

    def _name_losses(self, losses: list[Loss], frame: FrameType) -> None:
        user = source.user_frame(frame)
        for name, held in tuple(user.f_locals.items()) if user is not None else ():
            for loss in losses:
                if held is loss.tensor:
                    self.ledger.names.setdefault(loss.number, name)

    def _gather(self) -> None:
        self.running.seen = self.known_parameters()
        self.watch.after_backward([owned.tensor for owned in self.running.seen.values()])

    def _examine(self, losses: list[Loss], *, fresh: bool) -> None:
        """Let the session measure the step, and keep the backward whose labels matter most."""
        step = self.build(updated=False)
        parameters = {owned.name: owned.tensor for owned in self.running.seen.values() if _compat.is_leaf(owned.tensor)}
        replay = TorchReplay(tuple(self.ledger.calls), tuple(losses), parameters, self.ledger.identity, fresh=fresh)
        examined = self.observer.examine(step, replay)
        known = self.running.measures
        self.running.trials = (*self.running.trials, *(trial for trial in examined.trials if trial not in self.running.trials))
        if known is None or (examined.measures.label_sensitivity or 0.0) > (known.label_sensitivity or 0.0):
            self.running.measures = examined.measures

    def grad(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`torch.autograd.grad`: part of the forward if a graph is made of it, else the backward of a program that updates by hand."""
        if not self.on or not self.listening:
            return original(*args, **kwargs)
        create = bool(kwargs.get("create_graph", args[4] if len(args) > 4 else False))  # noqa: PLR2004 - its fifth argument
        inputs = kwargs.get("inputs", args[1] if len(args) > 1 else ())
        if create or not self._asks_for_parameters(inputs):
            return self.opaque(original, "grad", args, kwargs)
        frame = sys._getframe(1)
        outputs = kwargs.get("outputs", args[0] if args else ())
        begun = self.begin_backward((outputs,), {}, frame)
        with self.aside():
            result = original(*args, **kwargs)
        self.end_grad(begun, inputs, result, frame)
        return result

    @guarded
    def _asks_for_parameters(self, inputs: Any) -> bool:
        found = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        known = {id(tensor) for tensor in self.parameter_tensors()}
        return any(id(tensor) in known for tensor in found)

    @guarded
    def end_grad(self, begun: tuple[list[Loss], int, bool] | None, inputs: Any, result: Any, frame: FrameType) -> None:
        """After `autograd.grad` for parameters: its results are their gradients."""
        self.end_backward(begun, frame, raised=False)
        found = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        for parameter, gradient in zip(found, result, strict=False):
            figures = self.watch.figures.setdefault(id(parameter), Figures())
            norm = None if gradient is None else float(gradient.detach().double().norm())
            figures.gradient_norm = norm
            figures.gradient = (
                "none" if norm is None else "non-finite" if norm != norm or norm == float("inf") else "zero" if norm == 0 else "finite"
            )  # noqa: PLR0124 - NaN alone differs from itself

    def opaque(self, original: Original, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call whose inside must not be recorded: the user's autograd functions, transforms, conversions from NumPy."""
        if not self.on or not self.listening or threading.get_ident() != self.thread:
            return original(*args, **kwargs)
        frame = sys._getframe(1)
        call = self.begin_opaque(original, name, args, kwargs, frame)
        with self.aside():
            result = original(*args, **kwargs)
        if call is not None:
            self.after(call, result, frame)
        return result

    @guarded
    def begin_opaque(self, original: Original, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType) -> Call | None:
        """Note an opaque call."""
        kind = {"from_numpy": "enter", "grad": "opaque"}.get(name, "custom")
        info = Function(name, f"torch.{name}" if kind == "enter" else name, kind, quiet=False, in_place=False, signature=None)
        call = self.ledger.before(original, info, args, kwargs, frame)
        if call is not None:
            call.module = self.modules.path()
        return call

    def batch(self, original: Original, loader: Any) -> Any:
        """A data loader hands out a batch."""
        with self.aside():
            batch = original(loader)
        self.batch_came(batch, sys._getframe(1))
        return batch

    @guarded
    def batch_came(self, batch: Any, frame: FrameType) -> None:
        """Note the elements of a batch."""
        elements = self.loaders.look(batch)
        if self.on:
            slots = [(path, self.ledger.slot(tensor)) for path, tensor in elements]
            for path, slot in slots:
                self.loaders.note(path, slot.value)
            self.happened("batch", frame, (), tuple(slot.value for _, slot in slots))
            self.activations.batch_paths.update({slot.number: f"batch{path}" for path, slot in slots})

    def aside_forward(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run with the mode off: kernels that are chosen only where no mode is on."""
        with _compat.without(self.mode):
            return original(*args, **kwargs)

    def aside_layer(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Attention layers take a fast path in evaluation where no mode is on; leave it to them."""
        layer = args[0]
        fast = not layer.training and (not torch.is_grad_enabled() or not any(p.requires_grad for p in layer.parameters()))
        return self.aside_forward(original, args, kwargs) if self.on and fast else original(*args, **kwargs)

    @guarded
    def made_optimizer(self, optimizer: Optimizer) -> None:
        """An optimizer was made."""
        self.optimizers.meet(optimizer, source.trace(sys._getframe(2)))

    @guarded
    def made_module(self, module: nn.Module) -> None:
        """A module was made."""
        if self.on:
            self.modules.made_at(module, source.trace(sys._getframe(2)))

    @guarded
    def before_update(self, optimizer: Optimizer, *, closure: bool) -> None:
        """An optimizer's step begins; with a closure, the forward and the backward are still to come."""
        if closure and self.running.updated:
            self.end_step() if self.on else self.end_unrecorded()
        self.optimizers.stepping(optimizer)
        entry = self.optimizers.meet(optimizer)
        made = _user(entry.made) or entry.native
        if made not in self.running.optimizers:
            self.running.optimizers.append(made)
        self.in_closure, self.in_update = closure, not closure
        if self.on and not closure:
            self.watch.before_update(_held(optimizer))

    @guarded
    def after_update(self, optimizer: Optimizer) -> None:
        """An optimizer's step is over."""
        self.in_update = self.in_closure = False
        held = _held(optimizer)
        if self.on:
            entry = self.optimizers.meet(optimizer)
            self.happened("optimizer_step", sys._getframe(2), (), (self.optimizers.name(entry),), {"rate": entry.last})
            self._updated(held)
        else:
            self.running.updated = True
            self._arm()
        entry = self.optimizers.meet(optimizer)
        if entry.steps & (entry.steps - 1) == 0:  # at powers of two: often enough for short runs, almost free in long ones
            self.watch.look()

    def _updated(self, parameters: list[Tensor]) -> None:
        self.running.updated = True
        self.running.changed.update(self.ledger.identity.meet(p).number for p in parameters if p.grad is not None or self.running.losses)
        self.watch.after_update(parameters, measured=True)

    def _arm(self) -> None:
        """Begin to record at the end of this step, if a step was asked for by number or a kind of step is still missing."""
        wanted = self.settings.at_step
        if (wanted is not None and self.index + 1 >= wanted and not self.steps and not self.kinds.asked) or self.kinds.armed:
            self.kinds.asked, self.kinds.armed = True, False
            self.end_unrecorded()
            self.switch_on()

    @guarded
    def cleared(self, owner: Optimizer | nn.Module) -> None:
        """`zero_grad` was called."""
        if self.on:
            parameters = _held(owner) if isinstance(owner, Optimizer) else list(owner.parameters())
            self.happened("clear", sys._getframe(2), tuple(parameters))

    @guarded
    def clipped(self, parameters: Any, result: Any, limit: Any) -> None:
        """Gradients were clipped."""
        if self.on:
            found = (
                [parameters]
                if isinstance(parameters, Tensor)
                else [p for p in parameters if isinstance(p, Tensor)]
                if isinstance(parameters, list | tuple)
                else []
            )
            norm = float(result) if isinstance(result, Tensor) and result.numel() == 1 else None
            self.happened(
                "clip",
                sys._getframe(2),
                tuple(found),
                (),
                {"norm": norm, "limit": float(limit) if isinstance(limit, int | float) else None},
            )

    @guarded
    def scheduled(self, scheduler: Any) -> None:
        """A scheduler stepped."""
        optimizer = getattr(scheduler, "optimizer", None)
        frame = sys._getframe(2)
        if isinstance(optimizer, Optimizer):
            self.optimizers.rate_changed(optimizer, source.trace(frame))
            if self.on:
                self.happened("scheduler_step", frame, (), (self.optimizers.name(self.optimizers.meet(optimizer)),))

    @guarded
    def switched_mode(self, module: nn.Module, *, training: bool) -> None:
        """`train()` or `eval()` was called on a module from the user's own code."""
        frame = sys._getframe(2)
        if self.on and frame.f_code.co_name not in ("train", "eval", "wrapper"):
            self.happened("train" if training else "eval", frame, (), (type(module).__name__,))

    @guarded
    def loaded(self, module: nn.Module) -> None:
        """Parameters were overwritten from a checkpoint."""
        self.modules.loaded.update(id(parameter) for parameter in module.parameters())
        if self.on:
            self.happened("load", sys._getframe(2), tuple(module.parameters()))

    @guarded
    def autocast(self, *, entered: bool) -> None:
        """An autocast block begins or ends."""
        self.ledger.in_autocast += 1 if entered else -1
        if entered and self.ledger.in_autocast == 1:
            self.ledger.block += 1

    @guarded
    def inference(self, *, entered: bool) -> None:
        """`inference_mode` was switched."""
        if self.on:
            self.ledger.region += 1
            self.happened("tracking", sys._getframe(2), attributes={"on": not entered})

    @guarded
    def compiled(self) -> None:
        """The program compiles something: recorded steps must run eagerly."""
        self.compiled_used = True
        self.limits.append(
            "`torch.compile` was off in the recorded steps, which ran eagerly; results may differ from a plain run in the last digits"
        )
        if self.on:
            self._stance("force_eager")

    # --- parameters -----------------------------------------------------------------------------------------------

    def known_parameters(self) -> dict[int, Owned]:
        """Parameters of models, what optimizers hold, and leaves of models without modules."""
        found = self.modules.parameters()
        held = self.optimizers.held()
        named = self.ledger.names
        for number, tensor in leaves(self.ledger.calls).items():
            plain = id(tensor) in held or isinstance(tensor, nn.Parameter) or not found
            if id(tensor) not in found and plain and number not in self.activations.batch_paths:
                found[id(tensor)] = Owned(named.get(number, f"parameter {number}"), tensor, id(tensor) in held or not found, "", False, "")
        self.names |= {key: owned.name for key, owned in found.items()}
        self.watch.name(self.names)
        return found

    def parameter_tensors(self) -> list[Tensor]:
        """The parameters as last known; gathered anew at each backward."""
        known = self.running.seen or self.known_parameters()
        return [owned.tensor for owned in known.values()]

    # --- steps ----------------------------------------------------------------------------------------------------

    def build(self, *, updated: bool, calls: list[Call] | None = None, events: list[Happened] | None = None) -> Step:
        """The step under way, as the neutral record has it."""
        calls = self.ledger.calls if calls is None else calls
        owned = self.running.seen or self.known_parameters()
        numbers = {self.ledger.identity.meet(item.tensor).number: item.name for item in owned.values()}
        self.builder.defaults = self.activations.default_names()
        losses = set(self.running.losses)
        differentiable = any(
            seen.differentiable for name in losses if (seen := self.ledger.values.get(name)) and self.ledger.producer(name)
        )
        graph = self.builder.graph(calls, numbers, losses, guess_returns=not differentiable)
        named = self._events(events if events is not None else self.ledger.events, numbers)
        happened = self.builder.events(named, kept(calls, numbers))
        values = dict(graph.values)
        loose = [name for item in named if item.kind in ("batch", "backward") for name in item.targets]
        loose += [self.ledger.identity.meet(item.tensor).name for item in owned.values()]
        loose += [name for scope in self.activations.all for name in scope.arguments.values()]
        self.ledger.measure(name for name in loose if name not in values)
        values |= {name: self.builder.value(name, None, numbers, losses) for name in loose if name not in values}
        graph = Graph(graph.ops, values)
        parameters = tuple(self._parameter(item, graph) for item in owned.values())
        step = Step(
            self.index,
            0,
            graph,
            happened,
            parameters,
            self.builder.scopes(self.activations.all),
            trials=self.running.trials,
            updated=updated,
        )
        measures = self.running.measures or Measures()
        return replace(step, labels=find_labels(StepIndex(step)), measures=measures)

    def _events(self, events: list[Happened], numbers: Mapping[int, str]) -> list[Happened]:
        found = []
        for item in events:
            targets = tuple(numbers.get(target, "") if isinstance(target, int) else target for target in item.targets)
            kept = tuple(name for name in targets if name)
            if kept or item.kind not in ("freeze", "unfreeze", "clear", "update"):
                found.append(Happened(item.kind, item.at, kept, item.trace, item.attributes))
        return found

    def _parameter(self, owned: Owned, graph: Graph) -> Parameter:
        entry = self.ledger.identity.meet(owned.tensor)
        names = {
            name for name in (f"t{entry.number}", *(f"t{entry.number}.{at}" for at in range(1, entry.writes + 1))) if name in graph.values
        }
        read = [name for op in graph.ops for name in op.inputs if name in names and not op.attributes.get("inplace")]
        value = read[-1] if read else entry.name
        figures = self.watch.figures.get(id(owned.tensor), Figures())
        return Parameter(
            name=owned.name,
            value=value,
            trainable=owned.tensor.requires_grad,
            registered=owned.registered,
            owner=owned.owner,
            library=owned.library,
            loaded=id(owned.tensor) in self.modules.loaded,
            optimizer=self.optimizers.held().get(id(owned.tensor), ""),
            reached=bool(read),
            gradient=figures.gradient,
            gradient_norm=figures.gradient_norm,
            gradient_at_update=figures.at_update,
            norm=figures.norm,
            update_norm=figures.update_norm,
            site=self.builder.site(self.modules.place_of(owned.tensor) or self._first_seen(value)),
        )

    def _first_seen(self, value: str) -> source.Trace | None:
        """Where a tensor without a module was made, or else first read."""
        made = self.ledger.producer(value)
        read = (call for call in self.ledger.calls if any(slot.value == value for slot in call.slots))
        found = made or next(read, None)
        return found.trace if found is not None else None

    def end_step(self) -> None:
        """The recorded step under way is over: keep it, drop its calls, decide whether to go on recording."""
        if not self.running.backwards and not self.running.updated:
            return
        self._close()
        self.ledger.drop_dependents(self.running.changed)
        self.ledger.drop_dead()
        self._next()
        if self.kinds.complete:
            self.switch_off()
            self.ledger.forget()
        self.observer.ended(self.index - 1, self.kinds.complete)

    def _close(self) -> None:
        """Turn what was recorded into a step."""
        boundary = self._boundary_at()
        later = [event for event in self.ledger.events if event.at > boundary and event.kind != "optimizer_step"]
        events = [event for event in self.ledger.events if event not in later]
        step = self.build(updated=self.running.updated, calls=[call for call in self.ledger.calls if call.at <= boundary], events=events)
        kind = self.kinds.kind(self.running.optimizers, self.running.sites)
        if self.kinds.wants(kind) and not self.running.partial:
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
                frameworks=(Framework("torch", str(torch.__version__)),),
                outcome=Outcome(steps_seen=self.index, backwards_seen=self.backwards),
                steps=tuple(self.steps),
                optimizers=self.optimizers.records(self.names, self.builder),
                batches=self.loaders.records(),
                limits=tuple(dict.fromkeys(self.limits)),
            )

    def finish(self, outcome: Outcome) -> Record:
        """The program has ended: judge the step that it ended in, and return everything."""
        was_on = self.on and not self.stopped
        self.stop()
        if was_on:
            self._last_step(outcome)
        seen = self.index + (not self.on and not was_on and bool(self.running.backwards))
        if self.sources.changed:
            self.limits.append(
                "sources changed after the program started, so that their text is not shown: " + ", ".join(sorted(self.sources.changed))
            )
        record = self.draft()
        return replace(record, outcome=replace(outcome, steps_seen=seen, backwards_seen=self.backwards), endings=self._endings())

    def _last_step(self, outcome: Outcome) -> None:
        """The step that the program ended in: with a backward, a failed call, or a loss that was never differentiated."""
        unfinished = self.running.backwards or self.running.updated
        if not unfinished and any(call.full or call.failed for call in self.ledger.calls):
            self.running.seen = self.known_parameters()
        if unfinished or self.running.seen:
            if outcome.exception is not None:
                self.ledger.events.append(
                    Happened("exception", self.ledger.at, (), None, {"type": outcome.exception.type, "message": outcome.exception.message})
                )
            step = self.build(updated=self.running.updated)
            self.steps.append(replace(step, kind=self.kinds.kind(self.running.optimizers, self.running.sites)))
            self.index += 1

    def _endings(self) -> dict[str, Ending]:
        self.watch.look()
        return {entry.name: Ending(entry.changed, entry.gradient_seen) for entry in self.watch.first.values() if entry.name}


def _user(trace: source.Trace | None) -> object:
    return trace.user if trace is not None else None


def _held(optimizer: Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _decorated(frame: FrameType | None) -> source.Trace | None:
    """The function that a decorator such as `@torch.no_grad()` stands on, where tracking is switched by one."""
    while frame is not None and not source.is_user(frame.f_code):
        function = frame.f_locals.get("func") if frame.f_code.co_name == "decorate_context" else None
        code = getattr(function, "__code__", None)
        if code is not None and source.is_user(code):
            return source.Trace(((code, -2),), ())
        frame = frame.f_back
    return None
