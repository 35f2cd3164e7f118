"""What the patched functions of PyTorch tell of the program's state: modes, tracking, checkpoints, scalers, autocast. Every method is guarded."""

import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from whygrad.frontends import source
from whygrad.frontends.torch import _compat
from whygrad.frontends.torch.guard import guarded
from whygrad.frontends.torch.holding import held_in
from whygrad.frontends.torch.identity import address_of
from whygrad.frontends.torch.patches import Original
from whygrad.frontends.torch.reserved import note_reserved
from whygrad.frontends.torch.running import held_by
from whygrad.frontends.torch.ties import broken, tied

if TYPE_CHECKING:
    from whygrad.frontends.torch.recorder import TorchRecorder


class StateHooks:
    """The part of the recorder's ears that hears of states; it keeps nothing of its own."""

    def __init__(self, recorder: "TorchRecorder") -> None:
        self.recorder = recorder

    @guarded
    def registered(self, module: nn.Module, name: str, parameter: Tensor | None) -> None:
        """A parameter became one of a module."""
        _ = module, name
        if self.recorder.on and parameter is not None:
            self.recorder.ledger.wrapped(parameter)
            note_reserved(self.recorder.ledger, parameter, sys._getframe(2), self.recorder.sources.text)

    @guarded
    def initialised(self, tensor: Tensor) -> None:
        """A function of `torch.nn.init` or a method that draws in place has filled a tensor, or what another one holds as its `data`."""
        for entry in self.recorder.optimizers.all():
            optimizer = entry.reference()
            found = _holding(held_by(optimizer), tensor) if entry.steps and optimizer is not None else None
            if found is not None:
                name, whose = self.recorder.assembly.names.get(id(found), ""), self.recorder.optimizers.name(entry)
                self.recorder.modules.redraws.add(name, whose, entry.number, entry.steps, source.trace(sys._getframe(2)))

    def checked_input(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A recurrent layer looks at its input before it calls anything: what it refuses is noted as the call that it would have made."""
        try:
            return original(*args, **kwargs)
        except Exception as problem:
            self.refused_input(args[0], args[1], problem, sys._getframe(1))
            raise

    @guarded
    def refused_input(self, layer: nn.RNNBase, data: Tensor, problem: Exception, frame: FrameType) -> None:
        """The call of a layer that was not made."""
        told = (layer.bias, layer.num_layers, layer.dropout, layer.training, layer.bidirectional, layer.batch_first)
        function = getattr(torch, layer.mode.lower())
        call = self.recorder.before(function, (data, (), layer.all_weights[0], *told), {}, frame) if self.recorder.on else None
        if call is not None:
            self.recorder.failed(call, problem, frame)

    @guarded
    def switched_mode(self, module: nn.Module, *, training: bool) -> None:
        """`train()` or `eval()` was called on a module from the user's own code."""
        frame = _outside(sys._getframe(2))
        if frame is None or is_part_of_switch(frame):
            return
        name = self.recorder.modules.called(module) or _variable(module, frame) or type(module).__name__
        if not training:
            self.recorder.modules.switched_off(module, self.recorder.optimizers.held(), source.trace(frame))
        happened = ("train" if training else "eval", source.trace(frame), name, type(module).__name__)
        if self.recorder.on:
            self.recorder.note_mode(happened)
        else:
            self.recorder.last_mode = happened

    @guarded
    def switched_tracking(self, *, on: bool) -> None:
        """`set_grad_enabled` was called: as a function it stays, unlike a block."""
        if not self.recorder.in_update:
            self.recorder.tracking_switch = None if on else source.trace(sys._getframe(2))
            self.recorder.left_off.begin(self.recorder.tracking_switch)

    def loading(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`load_state_dict`."""
        before = self.ties_of(*args[:1])
        result = original(*args, **kwargs)
        self.loaded((*args, *kwargs.values())[:2], result, before or {}, sys._getframe(1))
        return result

    @guarded
    def ties_of(self, module: Any = None) -> dict[str, tuple[str, ...]]:
        """The parameters that a module shares, before something may break that up."""
        return tied(module) if isinstance(module, nn.Module) else {}

    @guarded
    def loaded(self, given: tuple[Any, ...], result: Any, before: dict[str, tuple[str, ...]], frame: FrameType) -> None:
        """Parameters were overwritten from a checkpoint, or were meant to be."""
        module, state = (*given, None, None)[:2]
        if not isinstance(module, nn.Module):
            return
        name = self.recorder.modules.called(module) or _variable(module, frame) or type(module).__name__
        self.recorder.modules.loadings.add(module, name, state, result, source.trace(frame))
        self._look_back(module, name, frame)
        if self.recorder.on:
            apart = broken(before, module)
            self.recorder.happened("load", frame, tuple(held_in(module)))
            if apart:
                self.recorder.happened("untie", frame, (), apart)

    @guarded
    def state_taken(self, module: nn.Module) -> None:
        """`state_dict` was called by the program itself, and not by a model on its parts."""
        frame = _outside(sys._getframe(2))
        if frame is not None and source.is_user(frame.f_code):
            with self.recorder.aside():
                self.recorder.modules.states.add(module, source.trace(frame))
                self._look_back(module)

    def _look_back(self, module: nn.Module, name: str = "", frame: FrameType | None = None) -> None:
        """Keep what a model begins with where that is saved or loaded; a later loading may bring it back."""
        mine, modules = {id(parameter) for parameter in held_in(module)}, self.recorder.modules
        living = [(entry, entry.reference()) for entry in self.recorder.optimizers.all() if entry.steps]
        holding = [entry for entry, optimizer in living if optimizer is not None and not mine.isdisjoint(map(id, held_by(optimizer)))]
        if not holding:
            modules.beginnings.note(module)
        elif frame is not None and modules.beginnings.holds_again(module):
            for entry in holding:
                whose = self.recorder.optimizers.name(entry)
                modules.redraws.add(name, whose, entry.number, entry.steps, source.trace(frame), loaded=True)

    @guarded
    def made_scaler(self, scaler: Any) -> None:
        """A gradient scaler was made."""
        self.recorder.optimizers.scaler_made(scaler, source.trace(sys._getframe(2)))

    def scaled_step(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A gradient scaler is asked to step an optimizer; it may decline."""
        optimizer = kwargs.get("optimizer", args[1] if len(args) > 1 else None)
        before = self.steps_of(optimizer)
        result = original(*args, **kwargs)
        self.skipped(optimizer, before, sys._getframe(1), args[0] if args else None)
        return result

    @guarded
    def steps_of(self, optimizer: Any) -> int | None:
        """How often an optimizer has stepped."""
        return self.recorder.optimizers.meet(optimizer).steps if isinstance(optimizer, Optimizer) else None

    @guarded
    def skipped(self, optimizer: Any, before: int | None, frame: FrameType, scaler: Any = None) -> None:
        """Count the steps that a scaler declined."""
        if before is None:
            return
        entry = self.recorder.optimizers.meet(optimizer)
        self.recorder.optimizers.scaled(entry, scaler)
        if entry.steps == before:
            entry.skipped += 1
            entry.skip_trace = entry.skip_trace or source.trace(frame)
            if self.recorder.on:
                self.recorder.happened("skipped", frame, (), (self.recorder.optimizers.name(entry),))

    @guarded
    def unscaled(self, optimizer: Any) -> None:
        """A gradient scaler divided an optimizer's gradients by its factor."""
        if self.recorder.on and isinstance(optimizer, Optimizer):
            name = self.recorder.optimizers.name(self.recorder.optimizers.meet(optimizer))
            self.recorder.happened("unscale", sys._getframe(2), (), (name,))

    @guarded
    def autocast(self, *, entered: bool) -> None:
        """An autocast block begins or ends."""
        self.recorder.ledger.in_autocast += 1 if entered else -1
        if entered and self.recorder.ledger.in_autocast == 1:
            self.recorder.ledger.block += 1

    @guarded
    def inference(self, *, entered: bool) -> None:
        """`inference_mode` was switched."""
        if self.recorder.on:
            self.recorder.ledger.region += 1
            self.recorder.happened("tracking", sys._getframe(2), attributes={"on": not entered})

    @guarded
    def compiled(self) -> None:
        """The program compiles something: recorded steps must run eagerly."""
        self.recorder.compiled_used = True
        self.recorder.limits.append(
            "`torch.compile` was off in the recorded steps, which ran eagerly; results may differ from a plain run in the last digits"
        )
        if self.recorder.on:
            self.recorder.set_stance("force_eager")


def _outside(frame: FrameType | None) -> FrameType | None:
    """The first frame that is not ours."""
    while frame is not None and frame.f_code.co_filename.startswith(source.OURS):
        frame = frame.f_back
    return frame


def is_part_of_switch(frame: FrameType) -> bool:
    """A module's `train` that switches its parts."""
    return frame.f_code is _compat.TRAIN


def _variable(module: nn.Module, frame: FrameType) -> str:
    """The variable of the user's that holds a module that has not run yet."""
    user = source.user_frame(frame)
    return next((name for name, held in user.f_locals.items() if held is module and name != "self"), "") if user is not None else ""


def _holding(held: list[Tensor], tensor: Tensor) -> Tensor | None:
    """The parameter that a tensor is, or the whole of whose memory it is."""
    same = next((one for one in held if one is tensor), None)
    if same is not None or not isinstance(tensor, Tensor):
        return same
    alike = [one for one in held if one.shape == tensor.shape]
    at = address_of(tensor) if alike else 0
    return next((one for one in alike if at and address_of(one) == at), None)
