"""Keras on PyTorch: its optimizers, told as if they were PyTorch's, and the user's lines for what `fit` computes by itself."""

import re
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, WeakKeyDictionary, ref

import torch
from torch import Tensor, nn

from whygrad.frontends import places, source
from whygrad.frontends.keras_words import reckons, settings_of
from whygrad.frontends.torch.calls import Call
from whygrad.frontends.torch.guard import guarded
from whygrad.frontends.torch.patches import Original
from whygrad.frontends.watching import Watching
from whygrad.ir import Framework, Site

if TYPE_CHECKING:
    from whygrad.frontends.torch.recorder import TorchRecorder

OPTIMIZER, TRAINER, MODEL = "keras.src.optimizers.base_optimizer", "keras.src.backend.torch.trainer", "keras.src.models.model"
SCHEDULE = "keras.src.optimizers.schedules.learning_rate_schedule"
SCOPE, PLACEHOLDER = "keras.src.backend.common.stateless_scope", "keras.src.backend.common.keras_tensor"


class Standing:
    """An optimizer of Keras' as one of PyTorch's: what it holds, and how it is set. Its class has the name of Keras' own."""

    def __init__(self, optimizer: Any) -> None:
        self._optimizer: ReferenceType[Any] = ref(optimizer)
        self.state: dict[Tensor, Any] = {}
        """PyTorch's optimizers keep what they remember here; nothing reads it of Keras'."""

    @property
    def behind(self) -> Any:
        """Keras' optimizer, while it lives."""
        return self._optimizer()

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """One group: Keras' optimizers have no more."""
        optimizer = self.behind
        held = [value for v in getattr(optimizer, "_trainable_variables", None) or () if isinstance(value := v._value, Tensor)]
        settings = settings_of(optimizer)
        betas = {"betas": (settings["beta1"], settings["beta2"])} if {"beta1", "beta2"} <= settings.keys() else {}
        return [{"params": held, "lr": rate_of(optimizer), **settings, **betas}]

    def step(self) -> None:
        """Keras calls it `apply`."""


class Keras:
    """What is watched of Keras, once the program makes something of it."""

    def __init__(self, recorder: "TorchRecorder") -> None:
        self.recorder = recorder
        recorder.builder.chosen = self.place
        self._watched = False
        self._standing: WeakKeyDictionary[Any, Standing] = WeakKeyDictionary()
        self._compiled: WeakKeyDictionary[Any, source.Trace] = WeakKeyDictionary()
        self._schedules: WeakKeyDictionary[Any, source.Trace] = WeakKeyDictionary()
        self._drivers: dict[object, source.Trace | None] = {}
        """The user's frame that runs `fit` to where its model was compiled."""
        waiting = Watching((MODEL,), lambda _: self.look())
        waiting.install()
        recorder.patches.undo.append(waiting.remove)
        self._loss: Any = None
        """The last that was computed for a training step."""

    def look(self) -> None:
        """Keras was imported, or a module is made: perhaps it is the first of Keras'."""
        if not self._watched and all(name in sys.modules for name in (OPTIMIZER, TRAINER, MODEL, SCHEDULE)):
            self._watched = True
            self._watch(sys.modules[OPTIMIZER].BaseOptimizer, sys.modules[TRAINER].TorchTrainer, sys.modules[MODEL].Model)

    def _watch(self, optimizer: type, trainer: type, model: type) -> None:
        patches = self.recorder.patches
        patches.around(optimizer, "__init__", lambda _, made, *__, **___: self.recorder.hooks.made_optimizer(self.standing(made)))
        patches.wrap(optimizer, "apply", self._updating)
        # at the class that defines it: Keras asks whether a model's is that one, and compiles a loaded model only then
        defining = next(base for base in model.__mro__ if "compile" in vars(base))
        patches.around(defining, "compile", lambda _, compiled, *__, **___: self.compiled(compiled))
        patches.around(model, "_compute_loss", self.computed)
        for name in ("fit", "train_on_batch"):
            patches.wrap(trainer, name, self._driving)
        patches.around(trainer, "train_step", self.trained)
        patches.wrap(trainer, "_symbolic_build", self._building)
        self._watch_rate(optimizer)
        patches.wrap(sys.modules[SCHEDULE].LearningRateSchedule, "__new__", self._scheduling)

    def frameworks(self) -> tuple[Framework, ...]:
        """PyTorch, and Keras where the program makes something of it."""
        keras = getattr(sys.modules.get("keras"), "__version__", "") if self._watched else ""
        return (Framework("torch", str(torch.__version__)), *((Framework("keras", str(keras)),) if keras else ()))

    def _scheduling(self, original: Original) -> Original:
        """A schedule of rates is made; its class need not call an `__init__` of Keras'."""

        def __new__(kind: type, *_: Any, **__: Any) -> Any:  # noqa: N807 - the name that it has
            made = original(kind)
            self.scheduled(made)
            return made

        return __new__

    @guarded
    def scheduled(self, schedule: Any) -> None:
        """Remember where a schedule was made."""
        trace = source.trace(sys._getframe(2))
        if trace is not None:
            self._schedules[schedule] = trace

    @guarded
    def begins(self, optimizer: Any, standing: Any) -> None:
        """An update comes: tell of the schedule that its rate is asked of."""
        schedule = getattr(optimizer, "_learning_rate", None)
        trace = self._schedules.get(schedule) if callable(schedule) else None
        if trace is not None:
            self.recorder.optimizers.schedule_made(standing, schedule, trace)

    def _watch_rate(self, optimizer: Any) -> None:
        """Assignments of a learning rate, the program's or a callback's."""
        plain = optimizer.learning_rate

        def assign(item: Any, rate: Any) -> None:
            plain.fset(item, rate)
            self.rate_was_set(item)

        optimizer.learning_rate = plain.setter(assign)
        self.recorder.patches.undo.append(lambda: setattr(optimizer, "learning_rate", plain))

    def standing(self, optimizer: Any) -> Any:
        """What stands for an optimizer of Keras'."""
        found = self._standing.get(optimizer)
        if found is None:
            found = self._standing[optimizer] = type(type(optimizer).__name__, (Standing,), {})(optimizer)
        return found

    def _updating(self, original: Original) -> Original:
        def apply(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            hooks, standing = self.recorder.hooks, self.standing(optimizer)
            self.begins(optimizer, standing)
            hooks.before_update(standing, closure=False)
            try:
                return original(optimizer, *args, **kwargs)
            finally:
                hooks.after_update(standing)

        return apply

    def _driving(self, original: Original) -> Original:
        def fit(model: Any, *args: Any, **kwargs: Any) -> Any:
            self.driven(model)
            return original(model, *args, **kwargs)

        return fit

    def _building(self, original: Original) -> Original:
        """Keras tries a model without data before its first step."""

        def build(*args: Any, **kwargs: Any) -> Any:
            with self.recorder.aside():
                return original(*args, **kwargs)

        return build

    @guarded
    def driven(self, model: Any) -> None:
        """`fit` or `train_on_batch` begins."""
        trace = source.trace(sys._getframe(2))
        if trace is not None:
            self._drivers[trace.user[0]] = self._compiled.get(model)

    @guarded
    def compiled(self, model: Any) -> None:
        """`compile` was called."""
        trace = source.trace(sys._getframe(2))
        if trace is not None:
            self._compiled[model] = trace

    @guarded
    def computed(self, loss: Any, *_: Any, training: bool = True, **__: Any) -> None:
        """The loss of a step."""
        self._loss = loss if training else self._loss

    @guarded
    def trained(self, _: Any, model: Any, *__: Any, **___: Any) -> None:
        """A step is over. Keras asks for no gradient where nothing is trainable."""
        loss, self._loss = self._loss, None
        hooks = self.recorder.hooks
        if self.recorder.on and isinstance(loss, Tensor) and loss.grad_fn is None and not model.trainable_weights:
            frame = sys._getframe(2)
            hooks.end_backward(hooks.begin_backward((loss,), {}, frame), frame, raised=False)

    @guarded
    def rate_was_set(self, optimizer: Any) -> None:
        """A learning rate was assigned."""
        self.recorder.optimizers.rate_changed(self.standing(optimizer), source.trace(sys._getframe(2)))

    def place(self, call: Call) -> Site | None:
        """The user's line of what `fit` computes by itself: where the layer was made, or the loss was chosen; None for everything else."""
        if call.trace is None or not call.trace.user or call.trace.user[0] not in self._drivers:
            return None
        if call.module:
            return self.recorder.builder.site(call.layer)
        compiled = self._drivers[call.trace.user[0]]
        return places.of_argument(self.recorder.sources, compiled, "loss", 1) if compiled is not None else None


def is_keras(module: nn.Module) -> bool:
    """A module is one of Keras' layers or models, or of the user's that are."""
    kind = type(module)  # the instance makes its list of parameters where it is asked for it
    return hasattr(kind, "torch_params") and hasattr(kind, "_track_variables")


def only_shapes(given: tuple[object, ...]) -> bool:
    """Keras runs layers to see what shapes they give, as where a functional model is put together: no model of the user's runs."""
    scope, placeholder = sys.modules.get(SCOPE), sys.modules.get(PLACEHOLDER)
    return (scope is not None and bool(scope.in_stateless_scope())) or (
        placeholder is not None and bool(placeholder.any_symbolic_tensors(given))
    )


def path_of(stack: list[nn.Module]) -> str:
    """What Keras calls the innermost running layer, below the model; the model itself by its own name."""
    shown = stack[1:] or stack
    return "/".join(str(getattr(part, "name", type(part).__name__)) for part in shown)


def builtin(module: nn.Module) -> bool:
    """It is one of Keras' own."""
    return type(module).__module__.startswith("keras.")


def layers_of(model: nn.Module) -> Iterator[Any]:
    """A model's layers, itself among them."""
    flatten: Callable[[], Iterator[Any]] | None = getattr(model, "_flatten_layers", None)
    yield from flatten() if flatten is not None else ()


def held_by_layers(model: nn.Module) -> Iterator[tuple[Tensor, Any, str]]:
    """Each variable's tensor, the layer that holds it and what Keras calls it."""
    for layer in layers_of(model):
        for variable in (*getattr(layer, "_trainable_variables", ()), *getattr(layer, "_non_trainable_variables", ())):
            if isinstance(variable._value, Tensor):
                yield variable._value, layer, str(variable.path).removeprefix(f"{getattr(model, 'name', '')}/")


def bare_in(layer: nn.Module, sources: source.Sources, lines: dict[tuple[str, str], Site | None]) -> Iterator[tuple[Tensor, Site | None]]:
    """Parameters that a layer of the user's keeps as PyTorch's own, which Keras knows nothing of where it is one of Keras', and the line that makes each a part of it; `lines`: those found already."""
    own = layer._parameters if not is_keras(layer) or not builtin(layer) else {}
    # its `__init__` may be that of a base class in another file
    begun = getattr(getattr(type(layer).__init__, "__code__", None), "co_filename", None)
    defined = getattr(sys.modules.get(type(layer).__module__), "__file__", None)
    file = next((one for one in (begun, defined) if own and one is not None and source.is_own_file(one)), None)
    if file is None:
        return
    for name, item in own.items():
        if (file, name) not in lines:
            lines[file, name] = sources.only(file, rf"\bself\.{re.escape(name)}\s*=(?!=).*")
        if item is not None:
            yield item, lines[file, name]


def rate_of(optimizer: Any) -> float | None:
    """The learning rate as it is now; that of a schedule at its present step, None of one that does more than reckon."""
    given = getattr(optimizer, "_learning_rate", None)
    if callable(given) and not reckons(given):
        return None
    try:
        with torch.no_grad():
            return float(optimizer.learning_rate)
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return None
