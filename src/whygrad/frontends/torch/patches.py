"""What the mode can't see is seen by wrapping functions of PyTorch's for as long as the program is watched."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import GeneratorType
from typing import Any, Protocol

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from whygrad.frontends.torch._compat import functorch_entries, gradient_transform, loader_iterator

Original = Callable[..., Any]


class Watcher(Protocol):
    """What the patches tell. Each method guards itself."""

    def backward(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def grad(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def transform(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def opaque(self, original: Original, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def batch(self, original: Original, loader: Any) -> Any: ...
    def made_loader(self, loader: Any) -> None: ...
    def aside_layer(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def checked_input(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def made_optimizer(self, optimizer: Optimizer) -> None: ...
    def made_module(self, module: nn.Module) -> None: ...
    def initialised(self, tensor: Any) -> None: ...
    def registered(self, module: nn.Module, name: str, parameter: Any) -> None: ...
    def before_update(self, optimizer: Optimizer, *, closure: bool) -> None: ...
    def after_update(self, optimizer: Optimizer) -> None: ...
    def cleared(self, owner: Optimizer | nn.Module) -> None: ...
    def clipped(self, parameters: Any, result: Any, limit: Any) -> None: ...
    def scheduled(self, scheduler: Any, value: object = None) -> None: ...
    def made_scheduler(self, scheduler: Any) -> None: ...
    def switched_mode(self, module: nn.Module, *, training: bool) -> None: ...
    def loading(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def state_taken(self, module: nn.Module) -> None: ...
    def scaled_step(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def made_scaler(self, scaler: Any) -> None: ...
    def unscaled(self, optimizer: Any) -> None: ...
    def autocast(self, *, entered: bool) -> None: ...
    def inference(self, *, entered: bool) -> None: ...
    def switched_tracking(self, *, on: bool) -> None: ...
    def compiled(self) -> None: ...


INITIALISERS = (
    "uniform_",
    "normal_",
    "trunc_normal_",
    "xavier_uniform_",
    "xavier_normal_",
    "kaiming_uniform_",
    "kaiming_normal_",
    "orthogonal_",
)
"""Functions of `torch.nn.init` that draw: what they fill has forgotten what it was."""
DRAWING = ("normal_", "uniform_")
"""Methods of tensors that do the same, as in `parameter.data.normal_()`."""


@dataclass(slots=True)
class Patches:
    """The wrapped functions, to be put back."""

    watcher: Watcher
    undo: list[Callable[[], None]] = field(default_factory=list)

    def install(self) -> None:
        """Wrap everything."""
        self._autograd()
        self._optimizers()
        self._modules()
        self._others()

    def remove(self) -> None:
        """Put everything back."""
        while self.undo:
            self.undo.pop()()

    def wrap(self, owner: Any, name: str, make: Callable[[Original], Original]) -> None:
        """Replace `owner.name`; `make` gets the original."""
        had = name in vars(owner)
        raw = vars(owner).get(name, getattr(owner, name))
        original = raw.__func__ if isinstance(raw, classmethod | staticmethod) else raw
        made = functools.wraps(original)(make(original))
        setattr(owner, name, type(raw)(made) if isinstance(raw, classmethod | staticmethod) else made)
        self.undo.append(lambda: setattr(owner, name, raw) if had else delattr(owner, name))

    def around(self, owner: Any, name: str, after: Callable[..., None]) -> None:
        """Call the original, then tell."""

        def make(original: Original) -> Original:
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                result = original(*args, **kwargs)
                after(result, *args, **kwargs)
                return result

            return wrapper

        self.wrap(owner, name, make)

    def _through(self, owner: Any, name: str, handler: Callable[..., Any], *extra: Any) -> None:
        """Hand the original to the watcher, which calls it."""
        self.wrap(owner, name, lambda original: lambda *args, **kwargs: handler(original, *extra, args, kwargs))

    def _autograd(self) -> None:
        self._through(torch.autograd, "backward", self.watcher.backward)
        self._through(torch.autograd, "grad", self.watcher.grad)
        apply = torch.autograd.Function.apply.__func__  # type: ignore[attr-defined]  # a classmethod

        def make(_: Original) -> Original:
            return lambda cls, *args, **kwargs: self.watcher.opaque(functools.partial(apply, cls), cls.__qualname__, args, kwargs)

        self.wrap(torch.autograd.Function, "apply", make)
        for module, name in functorch_entries():
            self._through(module, name, self.watcher.opaque, name)
        if (transforms := gradient_transform()) is not None:
            self._through(transforms, "grad_and_value_impl", self.watcher.transform)

    def _optimizers(self) -> None:
        self.around(Optimizer, "__init__", lambda _, optimizer, *args, **kwargs: self.watcher.made_optimizer(optimizer))
        self.around(Optimizer, "zero_grad", lambda _, optimizer, *args, **kwargs: self.watcher.cleared(optimizer))
        before = register_optimizer_step_pre_hook(
            lambda optimizer, args, kwargs: self.watcher.before_update(optimizer, closure=_has_closure(args, kwargs))
        )
        after = register_optimizer_step_post_hook(lambda optimizer, args, kwargs: self.watcher.after_update(optimizer))
        self.undo += [before.remove, after.remove]
        self.around(LRScheduler, "__init__", lambda _, item, *args, **kwargs: self.watcher.made_scheduler(item))
        self.around(LRScheduler, "step", lambda _, item, *args, **kwargs: self.watcher.scheduled(item))
        self.around(ReduceLROnPlateau, "__init__", lambda _, item, *args, **kwargs: self.watcher.made_scheduler(item))
        self.around(ReduceLROnPlateau, "step", lambda _, item, metrics=None, *args, **kwargs: self.watcher.scheduled(item, metrics))
        scaler = torch.amp.grad_scaler.GradScaler
        self.around(scaler, "__init__", lambda _, scaler, *args, **kwargs: self.watcher.made_scaler(scaler))
        self._through(scaler, "step", self.watcher.scaled_step)
        self.around(scaler, "unscale_", lambda _, scaler, optimizer=None, *args, **kwargs: self.watcher.unscaled(optimizer))
        for owner in (torch.nn.utils, torch.nn.utils.clip_grad):
            for name in ("clip_grad_norm_", "clip_grad_value_"):
                self.wrap(owner, name, self._clipping)

    def _clipping(self, original: Original) -> Original:
        """Tell what was clipped; what a generator gives is given on by another one, since it gives it but once."""

        def wrapper(parameters: Any, limit: Any = None, *args: Any, **kwargs: Any) -> Any:
            held = tuple(parameters) if isinstance(parameters, GeneratorType) else parameters
            limits = () if limit is None else (limit,)
            result = original((item for item in held) if held is not parameters else held, *limits, *args, **kwargs)
            self.watcher.clipped(held, result, kwargs.get("max_norm", limit))
            return result

        return wrapper

    def _modules(self) -> None:
        self.around(nn.Module, "__init__", lambda _, module, *args, **kwargs: self.watcher.made_module(module))
        self.around(nn.Module, "zero_grad", lambda _, module, *args, **kwargs: self.watcher.cleared(module))
        self.around(nn.Module, "train", lambda _, module, mode=True: self.watcher.switched_mode(module, training=mode))
        self._through(nn.Module, "load_state_dict", self.watcher.loading)
        self.around(nn.Module, "state_dict", lambda _, module, *args, **kwargs: self.watcher.state_taken(module))
        self.undo.append(register_module_parameter_registration_hook(self.watcher.registered).remove)
        for name in INITIALISERS:
            self.around(nn.init, name, lambda _, tensor, *args, **kwargs: self.watcher.initialised(tensor))
        for name in DRAWING:
            self.around(torch.Tensor, name, lambda _, tensor, *args, **kwargs: self.watcher.initialised(tensor))
        for layer in (nn.TransformerEncoderLayer, nn.TransformerEncoder, nn.MultiheadAttention):
            self._through(layer, "forward", self.watcher.aside_layer)
        self._through(nn.RNNBase, "check_input", self.watcher.checked_input)

    def _others(self) -> None:
        iterator = loader_iterator()
        if iterator is not None:
            self.wrap(iterator, "__next__", lambda original: lambda loader: self.watcher.batch(original, loader))
        self.around(torch.utils.data.DataLoader, "__init__", lambda _, loader, *args, **kwargs: self.watcher.made_loader(loader))
        self._through(torch, "from_numpy", self.watcher.opaque, "from_numpy")
        autocast = torch.amp.autocast_mode.autocast
        self.around(autocast, "__enter__", lambda *args: self.watcher.autocast(entered=True))
        self.around(autocast, "__exit__", lambda *args: self.watcher.autocast(entered=False))
        inference = torch.autograd.grad_mode.inference_mode
        self.around(inference, "__enter__", lambda *args: self.watcher.inference(entered=True))
        self.around(inference, "__exit__", lambda *args: self.watcher.inference(entered=False))
        switch = torch.autograd.grad_mode.set_grad_enabled
        self.around(switch, "__init__", lambda _, item, mode, *args: self.watcher.switched_tracking(on=bool(mode)))
        self.around(torch, "compile", lambda *args, **kwargs: self.watcher.compiled())
        self._warnings()

    def _warnings(self) -> None:
        """Warnings raised under the mode name our line; show the user's instead."""
        import warnings

        from whygrad.frontends.source import user_frame

        def make(original: Original) -> Original:
            def show(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
                frame = user_frame(sys._getframe(1)) if filename.startswith(_OURS) else None
                place = (filename, lineno) if frame is None else (frame.f_code.co_filename, frame.f_lineno)
                original(message, category, *place, file, line)

            return show

        self.wrap(warnings, "showwarning", make)


_OURS = __file__.rsplit("/", 1)[0]


def _has_closure(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return kwargs.get("closure") is not None or any(callable(item) for item in args[1:])
