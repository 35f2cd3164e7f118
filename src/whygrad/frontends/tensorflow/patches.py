"""The functions of TensorFlow and Keras that are replaced while the program runs, and put back at the end."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from tensorflow.python.data.ops import iterator_ops
from tensorflow.python.eager.polymorphic_function import polymorphic_function
from tensorflow.python.ops import custom_gradient
from tensorflow.python.util import traceback_utils

from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.watching import Watching

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.hooks import Hooks
    from whygrad.frontends.tensorflow.rates import Rates
    from whygrad.frontends.tensorflow.training import Training

Original = Callable[..., Any]
MISSING = object()
LAST = "keras.src.models.model"
"""The module of Keras that imports all the others that are patched; a program that imports Keras first has only a part of it by now."""


class Patches:
    """Replaces attributes, and knows what was there."""

    def __init__(self, hooks: "Hooks", training: "Training", rates: "Rates") -> None:
        self.hooks = hooks
        self.training = training
        self.rates = rates
        self._kept: list[tuple[Any, str, Any]] = []
        self._waiting: Watching | None = None

    def install(self) -> None:
        """Put everything in; Keras' part as soon as Keras is there."""
        self._tensorflow()
        self._waiting = Watching((LAST,), lambda _: self._keras())
        self._waiting.install()

    def remove(self) -> None:
        """Put everything back."""
        if self._waiting is not None:
            self._waiting.remove()
        for owner, name, value in reversed(self._kept):
            if value is MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, value)
        self._kept = []

    def _set(self, owner: Any, name: str, make: Callable[[Original], Any]) -> None:
        original = getattr(owner, name, None)
        if original is None:
            return
        self._kept.append((owner, name, vars(owner).get(name, MISSING) if hasattr(owner, "__dict__") else original))
        setattr(owner, name, make(original))

    def _around(self, owner: Any, name: str, listener: Callable[[Original, tuple[Any, ...], dict[str, Any]], Any]) -> None:
        """The listener runs the original itself."""

        def make(original: Original) -> Original:
            @wraps(original)
            def patched(*args: Any, **kwargs: Any) -> Any:
                return listener(original, args, kwargs)

            return patched

        self._set(owner, name, make)

    def _after(self, owner: Any, name: str, listener: Callable[..., Any]) -> None:
        """The listener is told of the object once the original has run."""

        def make(original: Original) -> Original:
            @wraps(original)
            def patched(self: Any, *args: Any, **kwargs: Any) -> Any:
                result = original(self, *args, **kwargs)
                listener(self)
                return result

            return patched

        self._set(owner, name, make)

    # --- TensorFlow ---------------------------------------------------------------------------------------------

    def _tensorflow(self) -> None:
        self._around(_compat.Tape, "gradient", self.hooks.gradient)
        self._set(_compat.Tape, "__exit__", self._leaving_tape)
        self._after(_compat.Variable, "__init__", self.hooks.made_variable)
        self._around(custom_gradient, "_eager_mode_decorator", self.hooks.custom)
        self._around(polymorphic_function.Function, "__call__", self.hooks.recorder.functions.called)
        self._set(_compat.constants, "convert_to_eager_tensor", self._converting)
        self._set(_compat.tf.data.Dataset, "__iter__", self._beginning)
        self._set(iterator_ops.OwnedIterator, "__next__", self._handing_out)
        for name in ("numpy", "__float__", "__int__", "__array__"):
            self._set(_compat.EagerBase, name, self._leaving)
        self._set(traceback_utils, "_process_traceback_frames", self._raising)

    def _converting(self, original: Original) -> Original:
        hooks = self.hooks

        @wraps(original)
        def convert_to_eager_tensor(value: Any, ctx: Any, dtype: Any = None) -> Any:
            tensor = original(value, ctx, dtype)
            if hooks.recorder.listening:
                hooks.departures.converted(value, tensor, sys._getframe(1))
            return tensor

        return convert_to_eager_tensor

    def _leaving(self, original: Original) -> Original:
        hooks = self.hooks

        @wraps(original)
        def leaving(self: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(self, *args, **kwargs)
            if hooks.recorder.listening:
                hooks.departures.left(self, result, original.__name__)
            return result

        return leaving

    def _beginning(self, original: Original) -> Original:
        recorder = self.hooks.recorder

        @wraps(original)
        def __iter__(self: Any) -> Any:  # noqa: N807 - the name that it has
            iterator = original(self)
            if not recorder.quiet:
                recorder.iterators.began(self, iterator)
            return iterator

        return __iter__

    def _handing_out(self, original: Original) -> Original:
        recorder = self.hooks.recorder

        @wraps(original)
        def __next__(self: Any) -> Any:  # noqa: N807 - the name that it has
            data = original(self)
            if not recorder.quiet:
                recorder.iterators.handed_out(self, data)
            return data

        return __next__

    def _raising(self, original: Original) -> Original:
        failing = self.hooks.recorder.failing

        @wraps(original)
        def _process_traceback_frames(traceback: Any) -> Any:
            failing.raised(traceback, sys._getframe(1))
            return original(traceback)

        return _process_traceback_frames

    def _leaving_tape(self, original: Original) -> Original:
        failing = self.hooks.recorder.failing

        @wraps(original)
        def __exit__(self: Any, kind: Any, value: Any, traceback: Any) -> Any:  # noqa: N807 - the name that it has
            if value is not None:
                failing.raised(traceback, sys._getframe(1), value)
            return original(self, kind, value, traceback)

        return __exit__

    # --- Keras --------------------------------------------------------------------------------------------------

    def _keras(self) -> None:
        if _compat.backend() != "tensorflow":
            return
        from keras.src.backend.common.variables import Variable
        from keras.src.layers.layer import Layer
        from keras.src.losses.loss import Loss
        from keras.src.optimizers.base_optimizer import BaseOptimizer
        from keras.src.optimizers.schedules.learning_rate_schedule import LearningRateSchedule
        from keras.src.utils import traceback_utils as keras_traceback

        self.hooks.recorder.ledger.frames.learn()
        self._set(Layer, "__new__", self._making)
        self._after(Loss, "__init__", self.hooks.made_layer)
        self._after(BaseOptimizer, "__init__", self.hooks.made_optimizer)
        self._around(BaseOptimizer, "apply", self.hooks.apply)
        self._set(LearningRateSchedule, "__new__", self._making_schedule)
        self._rates(BaseOptimizer)
        self._plateaus()
        self._after(Variable, "assign", self.rates.written)
        self._scaled()
        self._set(keras_traceback, "_process_traceback_frames", self._raising)
        self._trainable(Layer)
        self._set(Layer, "get_weights", self._copying)
        self._around(Layer, "set_weights", self.hooks.recorder.restores.put_back)
        self._trainer()

    def _making(self, original: Original) -> Any:
        """Not `__init__`: Keras reads the parameters of that from its code."""
        hooks = self.hooks

        @wraps(original)
        def __new__(cls: type, *args: Any, **kwargs: Any) -> Any:  # noqa: N807 - the name that it has
            layer = original(cls, *args, **kwargs)
            hooks.made_layer(layer)
            return layer

        return staticmethod(__new__)

    def _making_schedule(self, original: Original) -> Any:
        """Its subclasses need not call an `__init__` of its."""
        rates = self.rates

        def __new__(cls: type, *_: Any, **__: Any) -> Any:  # noqa: N807 - the name that it has
            schedule = original(cls)
            rates.made_schedule(schedule)
            return schedule

        return staticmethod(__new__)

    def _rates(self, optimizer: Any) -> None:
        rates = self.rates
        original = vars(optimizer)["learning_rate"]

        def assign(self: Any, value: Any) -> None:
            original.fset(self, value)
            rates.assigned(self)

        self._kept.append((optimizer, "learning_rate", original))
        optimizer.learning_rate = property(original.fget, assign, original.fdel, original.__doc__)

    def _plateaus(self) -> None:
        from keras.callbacks import ReduceLROnPlateau

        rates = self.rates

        def make(original: Original) -> Original:
            @wraps(original)
            def on_epoch_end(self: Any, epoch: int, logs: Any = None) -> None:
                original(self, epoch, logs)
                rates.waited(self, logs)

            return on_epoch_end

        self._after(ReduceLROnPlateau, "__init__", rates.made_schedule)
        self._set(ReduceLROnPlateau, "on_epoch_end", make)

    def _copying(self, original: Original) -> Original:
        copies = self.hooks.recorder.copies

        @wraps(original)
        def get_weights(self: Any) -> Any:
            arrays = original(self)
            copies.taken(self, arrays)
            return arrays

        return get_weights

    def _scaled(self) -> None:
        from keras.src.optimizers.loss_scale_optimizer import LossScaleOptimizer

        self._around(LossScaleOptimizer, "apply", self.hooks.apply)
        self._after(LossScaleOptimizer, "scale_loss", self.hooks.recorder.optimizers.scaled)

    def _trainable(self, layer: Any) -> None:
        hooks = self.hooks
        original = vars(layer)["trainable"]

        def switch(self: Any, value: Any) -> None:
            before = getattr(self, "_trainable", None)
            original.fset(self, value)
            hooks.trainable(self, before, on=bool(value))

        self._kept.append((layer, "trainable", original))
        layer.trainable = property(original.fget, switch, original.fdel, original.__doc__)

    def _trainer(self) -> None:
        from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

        training = self.training
        self._around(TensorFlowTrainer, "fit", training.driven)
        self._around(TensorFlowTrainer, "train_on_batch", training.driven)

        def make(original: Original) -> Original:
            @wraps(original)
            def make_train_function(self: Any, *args: Any, **kwargs: Any) -> Any:
                result = original(self, *args, **kwargs)
                if self.train_function is not None and not getattr(self.train_function, "whygrad", False):
                    self.train_function = training.wrapped(self, self.train_function)
                return result

            return make_train_function

        self._set(TensorFlowTrainer, "make_train_function", make)

        def compiling(original: Original) -> Original:
            @wraps(original)
            def compile(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: A001 - the name that Keras gave it
                result = original(self, *args, **kwargs)
                training.compiled(self, kwargs.get("loss", args[1] if len(args) > 1 else None))
                return result

            return compile

        # at the class that defines it: Keras asks whether a model's is that one, and compiles a loaded model only then
        self._set(next(base for base in TensorFlowTrainer.__mro__ if "compile" in vars(base)), "compile", compiling)
