"""What the patched functions of PyTorch tell: backwards, updates, batches, modes. Every method is guarded."""

import sys
import threading
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from whygrad.frontends import source
from whygrad.frontends.plateaus import lately
from whygrad.frontends.torch import _compat, transforms
from whygrad.frontends.torch.calls import Call
from whygrad.frontends.torch.functions import described
from whygrad.frontends.torch.guard import guarded
from whygrad.frontends.torch.lowering import Function
from whygrad.frontends.torch.patches import Original
from whygrad.frontends.torch.refused import nothing_to_train
from whygrad.frontends.torch.replay import Loss, TorchReplay
from whygrad.frontends.torch.running import held_by, user_part
from whygrad.frontends.torch.state_hooks import StateHooks
from whygrad.frontends.torch.unrecorded import place_of
from whygrad.frontends.torch.untracked import note_cleared
from whygrad.frontends.torch.watching import without_gradient

MOST_EXAMINED = 4
"""Backwards of one step that are examined: accumulation over many micro-batches repeats itself."""
MOST_BACKWARDS = 64
"""A step that never updates is cut after this many backwards."""


class Hooks(StateHooks):
    """The recorder's ears; it keeps nothing of its own."""

    def backward(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`loss.backward()` and `torch.autograd.backward`; one within another, by which a checkpoint goes back through its block, is part of that."""
        if self.recorder.stopped or self.recorder.quiet or threading.get_ident() != self.recorder.thread:
            return original(*args, **kwargs)
        frame = sys._getframe(1)
        losses = self.begin_backward(args, kwargs, frame)
        try:
            with self.recorder.aside():
                result = original(*args, **kwargs)
        except Exception:
            self.end_backward(losses, frame, raised=True)
            raise
        self.end_backward(losses, frame, raised=False)
        return result

    @guarded
    def begin_backward(self, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType) -> tuple[list[Loss], int, frozenset[int]]:
        """Before a backward: which losses, how many gradients are left from the last update, and which parameters begin without one."""
        self.recorder.backwards += 1
        self.recorder.left_off.backward(kwargs.get("tensors", args[0] if args else None))
        self.recorder.mixed.backward(self._running(), self.recorder.optimizers.parameters, lambda: source.trace(frame))
        self.recorder.turns.look(frame)
        self._note_site(frame)
        self.recorder.unrecorded.loss(kwargs.get("tensors", args[0] if args else None), frame)
        if not self.recorder.on:
            if self.recorder.running.updated or self.recorder.running.backwards >= self._longest():
                self.recorder.end_unrecorded()
            return [], 0, frozenset()
        tensors = kwargs.get("tensors", args[0] if args else ())
        losses = self._losses(tensors, kwargs.get("grad_tensors", args[1] if len(args) > 1 else None))
        self.recorder.optimizers.name_all(frame)
        parameters = self.recorder.assembly.parameter_tensors(self.recorder.running)
        return losses, self.recorder.watch.stale(parameters), without_gradient(parameters)

    def _running(self) -> list[nn.Module]:
        return [model for model, _ in self.recorder.modules.models()]

    def _longest(self) -> int:
        """Backwards after which an unrecorded step is cut: updates by hand are not seen between recorded steps, so that each backward counts."""
        return MOST_BACKWARDS if self.recorder.optimizers.all() else 1

    def _note_site(self, frame: FrameType) -> None:
        site = place_of(frame)
        if self.recorder.running.updated and not self.recorder.on:
            self.recorder.next_site = site
        elif site not in self.recorder.running.sites:
            self.recorder.running.sites.append(site)

    def _losses(self, tensors: Any, weights: Any) -> list[Loss]:
        found = [tensors] if isinstance(tensors, Tensor) else list(tensors)
        given = [weights] if isinstance(weights, Tensor) or weights is None else list(weights)
        given += [None] * (len(found) - len(given))
        slots = [self.recorder.ledger.slot(tensor) for tensor in found]
        return [Loss(slot.value, slot.number, tensor, weight) for slot, tensor, weight in zip(slots, found, given, strict=False)]

    @guarded
    def end_backward(
        self,
        begun: tuple[list[Loss], int, frozenset[int]] | None,
        frame: FrameType,
        *,
        raised: bool,
        gradients: dict[int, Tensor] | None = None,
    ) -> None:
        """After a backward: gradients, and the experiments on the step while it can still be replayed."""
        self.recorder.running.backwards += 1
        if raised and not self.recorder.on:
            self.recorder.refused, self.recorder.running.seen = True, nothing_to_train(self.recorder, frame)
            self.recorder.refused_under = None if torch.is_grad_enabled() else self.recorder.tracking_switch
        if not self.recorder.on or begun is None:
            return
        losses, stale, fresh = begun
        self.recorder.happened("backward", frame, (), tuple(loss.value for loss in losses), {"stale": stale, "failed": raised})
        self._name_losses(losses, frame)
        self.recorder.running.losses += [loss.value for loss in losses]
        self._gather()
        if any(loss.tensor.grad_fn is not None and self.recorder.ledger.producer(loss.value) is None for loss in losses):
            self.recorder.running.partial = True
        elif self.recorder.running.examined < MOST_EXAMINED:
            self.recorder.running.examined += 1
            self._examine(losses, gradients if gradients is not None else self._own(frozenset() if raised else fresh))
        if self.recorder.running.backwards >= MOST_BACKWARDS and not self.recorder.running.updated:
            self.recorder.end_step()

    def _name_losses(self, losses: list[Loss], frame: FrameType) -> None:
        user = source.user_frame(frame)
        for name, held in tuple(user.f_locals.items()) if user is not None else ():
            for loss in losses:
                if held is loss.tensor:
                    self.recorder.ledger.names.setdefault(loss.number, name)

    def _gather(self) -> None:
        self.recorder.running.seen = self.recorder.assembly.known_parameters()
        self.recorder.running.modes = self.recorder.modules.modes()
        for owned in self.recorder.running.seen.values():
            if _compat.is_leaf(owned.tensor) and owned.tensor.grad is not None:
                self.recorder.ledger.values[self.recorder.ledger.slot(owned.tensor.grad).value].role = "gradient"
        tensors = self.recorder.assembly.parameter_tensors(self.recorder.running)
        self.recorder.watch.after_backward(tensors)
        for tensor in tensors:
            self.recorder.watch.figures[id(tensor)].unwritten = self.recorder.ledger.is_unwritten(tensor)

    def _own(self, fresh: frozenset[int]) -> dict[int, Tensor]:
        """Id to gradient of the parameters that had none before."""
        held = (owned.tensor for owned in self.recorder.running.seen.values() if id(owned.tensor) in fresh)
        return {id(parameter): parameter.grad for parameter in held if parameter.grad is not None}

    def _examine(self, losses: list[Loss], recorded: Mapping[int, Tensor]) -> None:
        """Let the session measure the step, and keep the backward whose labels matter most."""
        recorder = self.recorder
        step = recorder.assembly.build(recorder.index, recorder.running, recorder.ledger.calls, recorder.ledger.events)
        parameters = {owned.name: owned.tensor for owned in recorder.running.seen.values() if _compat.is_leaf(owned.tensor)}
        replay = TorchReplay(tuple(recorder.ledger.calls), tuple(losses), parameters, recorder.ledger.identity, recorded=recorded)
        replay.optimizers = recorder.optimizers.living()
        with _compat.unprofiled():
            examined = recorder.observer.examine(step, replay)
        recorder.pairs.meet(step, replay.find)
        recorder.running.births += examined.births
        if recorder.settings.experiments != "off" and recorder.running.sites:
            paths = {number: path.removeprefix("batch") for number, path in recorder.activations.batch_paths.items()}
            recorder.symptoms.keep(recorder.running.sites[-1], replay, recorder.index, paths, recorder.ledger, recorder.builder)
        known = recorder.running.measures
        recorder.running.trials = (
            *recorder.running.trials,
            *(trial for trial in examined.trials if trial not in recorder.running.trials),
        )
        if known is None or (examined.measures.label_sensitivity or 0.0) > (known.label_sensitivity or 0.0):
            recorder.running.measures = examined.measures

    def grad(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`torch.autograd.grad`: part of the forward if a graph is made of it, else the backward of a program that updates by hand."""
        if self.recorder.stopped or self.recorder.quiet or threading.get_ident() != self.recorder.thread:
            return original(*args, **kwargs)
        create = bool(kwargs.get("create_graph", args[4] if len(args) > 4 else False))  # noqa: PLR2004 - its fifth argument
        inputs = kwargs.get("inputs", args[1] if len(args) > 1 else ())
        if create or not self._asks_for_parameters(inputs):
            return self.opaque(original, "grad", args, kwargs)
        frame = sys._getframe(1)
        outputs = kwargs.get("outputs", args[0] if args else ())
        begun = self.begin_backward((outputs,), {}, frame)
        with self.recorder.aside():
            result = original(*args, **kwargs)
        # what was left in `.grad` is not added to: the gradients are handed back
        self.end_grad((begun[0], 0, begun[2]) if begun is not None else None, inputs, result, frame)
        return result

    @guarded
    def _asks_for_parameters(self, inputs: Any) -> bool:
        found = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        known = {id(tensor) for tensor in self.recorder.assembly.parameter_tensors(self.recorder.running)}
        return any(id(tensor) in known for tensor in found)

    @guarded
    def end_grad(self, begun: tuple[list[Loss], int, frozenset[int]] | None, inputs: Any, result: Any, frame: FrameType) -> None:
        """After `autograd.grad` for parameters: its results are their gradients."""
        found = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        gradients = {id(parameter): gradient for parameter, gradient in zip(found, result, strict=False) if gradient is not None}
        self.end_backward(begun, frame, raised=False, gradients=gradients)
        for parameter, gradient in zip(found, result, strict=False):
            self.recorder.watch.written(parameter, gradient)

    def transform(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The derivative of a function by `torch.func`: `args` are the function, the places of its arguments, whether it returns more, and what it is given."""
        call = self.begin_transform(args) if self.recorder.on and self.recorder.listening and not kwargs else None
        if call is None:
            return self.opaque(original, "grad_impl", args, kwargs)
        function, argnums, more, _, named = args
        with torch.enable_grad():
            result = function(*call.args, **named)
            output, *rest = result if more and isinstance(result, tuple) and len(result) == 2 else (result,)  # noqa: PLR2004 - the loss and the rest
            if (more and not rest) or not transforms.fits(output, rest):
                # what was computed once is handed to PyTorch, which has its own words for what is wrong with it
                return original(lambda *_, **__: result, argnums, more, call.args, named)
            again = transforms.goes_on(output, call)
            found = transforms.gradients(torch.autograd.grad, output, call, again=again)
        value = (output, *rest) if more else output
        return found, value if again else transforms.without_history(value)

    @guarded
    def begin_transform(self, args: tuple[Any, ...]) -> transforms.Call | None:
        """The call as it can be recorded; None where it can't."""
        if threading.get_ident() != self.recorder.thread:
            return None
        with self.recorder.aside():
            _, argnums, _, given, named = args
            call = transforms.tracked(argnums, given, named)
            for leaf, name in zip(call.leaves, call.names, strict=True) if call is not None else ():
                number = self.recorder.ledger.slot(leaf).number
                self.recorder.assembly.asked.add(number)
                self.recorder.ledger.names.setdefault(number, name) if name else None
        return call

    def opaque(self, original: Original, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call whose inside must not be recorded: the user's autograd functions, transforms, conversions from NumPy."""
        if not self.recorder.on or not self.recorder.listening or threading.get_ident() != self.recorder.thread:
            return original(*args, **kwargs)
        self.recorder.backwards += name == "grad_impl"
        frame = sys._getframe(1)
        call = self.begin_opaque(original, name, args, kwargs, frame)
        with self.recorder.aside():
            result = original(*args, **kwargs)
        if call is not None:
            self.recorder.after(call, result, frame)
        return result

    @guarded
    def begin_opaque(self, original: Original, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType) -> Call | None:
        """Note an opaque call."""
        kind = {"from_numpy": "enter", "grad": "opaque"}.get(name, "custom")
        info = Function(name, f"torch.{name}" if kind == "enter" else name, kind, quiet=False, in_place=False, signature=None)
        call = self.recorder.ledger.before(original, info, args, kwargs, frame)
        if call is not None:
            call.module = self.recorder.modules.path()
            call.settings.update(described(original, name, args, self.recorder.modules, self.recorder.sources))
        return call

    def batch(self, original: Original, loader: Any) -> Any:
        """A data loader hands out a batch."""
        if self.recorder.stopped or threading.get_ident() != self.recorder.thread:
            return original(loader)
        if self.recorder.listening and self.follows(loader):
            batch = self.overheard(original, loader)
        else:
            with self.recorder.aside():
                batch = original(loader)
        self.batch_came(batch, loader, sys._getframe(1))
        return batch

    def overheard(self, original: Original, loader: Any) -> Any:
        """Hand out the batch and see the items that it is made of."""
        undo = self.listens(loader)
        try:
            return original(loader)
        finally:
            self.heard(undo)

    @guarded
    def heard(self, undo: Callable[[], None] | None) -> None:
        """Listen no longer."""
        if undo is not None:
            undo()

    @guarded
    def listens(self, loader: Any) -> Any:
        """Begin to listen; returns what ends it."""
        return self.recorder.pairs.listen(loader)

    @guarded
    def follows(self, loader: Any) -> bool:
        """Whether the making of this batch is recorded, item by item."""
        return self.recorder.loaders.is_first(loader)

    @guarded
    def made_loader(self, loader: Any) -> None:
        """A data loader was made."""
        self.recorder.loaders.made(loader, source.trace(sys._getframe(2)))

    @guarded
    def batch_came(self, batch: Any, loader: Any, frame: FrameType) -> None:
        """Note the elements of a batch."""
        elements = self.recorder.loaders.look(batch, loader)
        self.recorder.symptoms.batch = elements
        self.recorder.pairs.collated(elements, loader)
        self.recorder.pairs.take(elements, loader)
        if self.recorder.on:
            slots = [(path, self.recorder.ledger.slot(tensor)) for path, tensor in elements]
            for path, slot in slots:
                self.recorder.loaders.note(path, slot.value, loader)
                self.recorder.ledger.values[slot.value].role = "input"
            self.recorder.ledger.measure(slot.value for _, slot in slots)
            self.recorder.happened("batch", frame, (), tuple(slot.value for _, slot in slots))
            self.recorder.activations.batch_paths.update({slot.number: f"batch{path}" for path, slot in slots})

    def aside_forward(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run with the mode off: kernels that are chosen only where no mode is on."""
        with _compat.without(self.recorder.mode):
            return original(*args, **kwargs)

    def aside_layer(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Attention layers take a fast path in evaluation where no mode is on; leave it to them."""
        if self.recorder.in_place and not self.recorder.on:
            self.recorder.withdraw()
        if not self.recorder.in_place or threading.get_ident() != self.recorder.thread:
            return original(*args, **kwargs)
        layer = args[0]
        fast = not layer.training and (not torch.is_grad_enabled() or not any(p.requires_grad for p in layer.parameters()))
        return self.aside_forward(original, args, kwargs) if fast else original(*args, **kwargs)

    @guarded
    def made_optimizer(self, optimizer: Optimizer) -> None:
        """An optimizer was made."""
        self.recorder.optimizers.meet(optimizer, source.trace(sys._getframe(2)))

    @guarded
    def made_module(self, module: nn.Module) -> None:
        """A module was made."""
        self.recorder.keras.look()
        if self.recorder.on:
            self.recorder.modules.made_at(module, source.trace(sys._getframe(2)))

    @guarded
    def before_update(self, optimizer: Optimizer, *, closure: bool) -> None:
        """An optimizer's step begins; with a closure, the forward and the backward are still to come."""
        if closure and self.recorder.running.updated:
            self.recorder.end_step() if self.recorder.on else self.recorder.end_unrecorded()
        self.recorder.optimizers.stepping(optimizer)
        self.recorder.mixed.updated(self._running())
        entry = self.recorder.optimizers.meet(optimizer)
        made = user_part(entry.made) or entry.native
        if made not in self.recorder.running.optimizers:
            self.recorder.running.optimizers.append(made)
        self.recorder.in_closure, self.recorder.in_update = closure, not closure
        if self.recorder.on and not closure:
            self.recorder.watch.before_update(held_by(optimizer))
        elif not closure:
            self.recorder.unrecorded.gradient(optimizer, sys._getframe(2))

    @guarded
    def after_update(self, optimizer: Optimizer) -> None:
        """An optimizer's step is over."""
        closure = self.recorder.in_closure
        self.recorder.in_update = self.recorder.in_closure = False
        held = held_by(optimizer)
        if self.recorder.on:
            if closure:  # when it began, the closure had still to calculate the gradients
                self.recorder.watch.before_update(held)
            entry = self.recorder.optimizers.meet(optimizer)
            idle = {"idle": True} if self.recorder.watch.idle(held) else {}
            name = self.recorder.optimizers.name(entry)
            self.recorder.happened("optimizer_step", sys._getframe(2), (), (name,), {"rate": entry.last, **idle})
            self.recorder.updated(held)
        else:
            self.recorder.running.updated = True
            self._arm()
        self.recorder.optimizers.stepped(optimizer)
        entry = self.recorder.optimizers.meet(optimizer)
        if entry.steps & (entry.steps - 1) == 0:  # at powers of two: often enough for short runs, almost free in long ones
            self.recorder.watch.look()

    def _arm(self) -> None:
        """Begin to record at the end of this step, if a step was asked for by number or a kind of step is still missing."""
        recorder, wanted = self.recorder, self.recorder.settings.at_step
        asked_for = wanted is not None and not recorder.kinds.asked  # those asked for come first
        due = recorder.index + 1 >= (wanted or 0) if asked_for else recorder.kinds.armed
        if due:
            recorder.kinds.asked, recorder.kinds.armed = True, False
            recorder.end_unrecorded()
            recorder.switch_on()

    @guarded
    def cleared(self, owner: Optimizer | nn.Module) -> None:
        """`zero_grad` was called."""
        note_cleared(self.recorder, owner)
        if self.recorder.on:
            parameters = held_by(owner) if isinstance(owner, Optimizer) else list(owner.parameters())
            self.recorder.happened("clear", sys._getframe(2), tuple(parameters))

    @guarded
    def clipped(self, parameters: Any, result: Any, limit: Any) -> None:
        """Gradients were clipped."""
        if self.recorder.on:
            found = (
                [parameters]
                if isinstance(parameters, Tensor)
                else [p for p in parameters if isinstance(p, Tensor)]
                if isinstance(parameters, list | tuple)
                else []
            )
            norm = float(result) if isinstance(result, Tensor) and result.numel() == 1 else None
            self.recorder.happened(
                "clip",
                sys._getframe(2),
                tuple(found),
                (),
                {"norm": norm, "limit": float(limit) if isinstance(limit, int | float) else None},
            )

    @guarded
    def scheduled(self, scheduler: Any, value: object = None) -> None:
        """A scheduler stepped; `value` is what one was given that waits for it to get better."""
        optimizer = getattr(scheduler, "optimizer", None)
        frame = sys._getframe(2)
        if isinstance(optimizer, Optimizer) and not _compat.is_first_of_schedule(scheduler):
            self.recorder.optimizers.name_all(frame)
            self.recorder.optimizers.rate_changed(optimizer, source.trace(frame))
            if isinstance(scheduler, ReduceLROnPlateau):
                self.recorder.optimizers.waited(scheduler, value, lately(self.recorder.symptoms.courses.values()))
            if self.recorder.on:
                self.recorder.happened(
                    "scheduler_step", frame, (), (self.recorder.optimizers.name(self.recorder.optimizers.meet(optimizer)),)
                )

    @guarded
    def made_scheduler(self, scheduler: Any) -> None:
        """A scheduler was made."""
        optimizer = getattr(scheduler, "optimizer", None)
        if isinstance(optimizer, Optimizer):
            self.recorder.optimizers.schedule_made(optimizer, scheduler, source.trace(sys._getframe(2)))

    @guarded
    def entering(self, module: nn.Module, given: tuple[object, ...]) -> None:
        """A module's forward begins."""
        if self.recorder.on:
            self.recorder.modules.enter(module, sys._getframe(2), given)
        else:
            self.recorder.withdraw()

    @guarded
    def leaving(self, module: nn.Module, _: object, __: object) -> None:
        """A module's forward is over."""
        if self.recorder.on:
            self.recorder.modules.leave(module)
