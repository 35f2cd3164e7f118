"""Keras on JAX: its optimizers, told as if they were optax', its names for layers and variables, and the user's lines for what `fit` computes by itself."""

import functools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, WeakKeyDictionary, ref

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.derivations import Asked, Derivation
from whygrad.frontends.jax.layers import Decided, layers_around
from whygrad.frontends.jax.transformations import Gathering, Made, Moment
from whygrad.frontends.keras_words import reckons, settings_of
from whygrad.frontends.watching import Watching
from whygrad.ir import Batches, Framework, Step

if TYPE_CHECKING:
    from whygrad.frontends.jax.recorder import JaxRecorder

OPTIMIZER, TRAINER, MODEL = "keras.src.optimizers.base_optimizer", "keras.src.backend.jax.trainer", "keras.src.models.model"
OPERATION, SCHEDULE = "keras.src.ops.operation", "keras.src.optimizers.schedules.learning_rate_schedule"
VARIABLES = ("trainable_variables", "non_trainable_variables", "metrics_variables", "optimizer_variables")
"""Arguments of Keras' own step that hold variables, not data."""


class Keras:
    """What is watched of Keras, once the program makes something of it."""

    def __init__(self, recorder: "JaxRecorder") -> None:
        self.recorder = recorder
        self._watched = False
        self._optimizers: WeakKeyDictionary[Any, Made] = WeakKeyDictionary()
        self._compiled: WeakKeyDictionary[Any, source.Trace] = WeakKeyDictionary()
        self._schedules: WeakKeyDictionary[Any, source.Trace] = WeakKeyDictionary()
        self._made: dict[int, tuple[ReferenceType[Any], source.Trace]] = {}
        """The layers, by identity: a layer of the user's need not be hashable."""
        self._frozen: dict[int, tuple[ReferenceType[Any], source.Trace]] = {}
        """The layers that the program froze, with where it last did."""
        self._drivers: dict[source.Point, source.Trace | None] = {}
        """The user's frame that runs `fit` to where its model was compiled."""
        self.waiting = Watching((MODEL,), lambda _: self.look())

    def look(self) -> None:
        """Keras was imported."""
        if (
            self.recorder.stopped
            or self._watched
            or not all(name in sys.modules for name in (OPTIMIZER, TRAINER, MODEL, OPERATION, SCHEDULE))
        ):
            return
        self._watched = True
        self._watch(sys.modules[TRAINER].JAXTrainer, sys.modules[MODEL].Model)

    def _watch(self, trainer: type, model: type) -> None:
        put, optimizer = self.recorder.patches.put, sys.modules[OPTIMIZER].BaseOptimizer
        put(
            optimizer,
            "__init__",
            self._telling(optimizer.__init__, lambda made, *_, **__: self.optimizer(made, source.trace(sys._getframe(1)))),
        )
        put(optimizer, "apply", self._updating(optimizer.apply))
        # at the class that defines it: Keras asks whether a model's is that one, and compiles a loaded model only then
        defining: Any = next(base for base in model.__mro__ if "compile" in vars(base))
        put(defining, "compile", self._telling(defining.compile, lambda compiled, *_, **__: self.compiled(compiled)))
        self._watch_frozen(next(base for base in model.__mro__ if "trainable" in vars(base)))
        taking: Any = trainer
        put(taking, "_get_jax_state", self._warning(taking._get_jax_state, self.driven))
        for owner, note in ((sys.modules[OPERATION].Operation, self.layer), (sys.modules[SCHEDULE].LearningRateSchedule, self.schedule)):
            put(owner, "__new__", staticmethod(self._making(owner.__new__, note)))

    def _watch_frozen(self, layer: Any) -> None:
        """Assignments of `trainable`: of what a layer holds and of the layers within it, Keras makes the same one."""
        plain = vars(layer)["trainable"]

        def assign(item: Any, value: Any) -> None:
            plain.fset(item, value)
            if not self.recorder.stopped:
                self.recorder.guarded("keras", self.froze, item, value)

        self.recorder.patches.put(layer, "trainable", plain.setter(assign))

    def _telling(self, original: Any, told: Callable[..., Any]) -> Any:
        """The same function, which tells what it was called with once it has returned."""

        @functools.wraps(original)
        def wrapper(self_: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(self_, *args, **kwargs)
            if not self.recorder.stopped:
                self.recorder.guarded("keras", lambda: told(self_, *args, **kwargs))
            return result

        return wrapper

    def _warning(self, original: Any, told: Callable[..., Any]) -> Any:
        """The same function, which tells what it is called with before it begins."""

        @functools.wraps(original)
        def wrapper(self_: Any, *args: Any, **kwargs: Any) -> Any:
            if not self.recorder.stopped:
                self.recorder.guarded("keras", lambda: told(self_, *args, **kwargs))
            return original(self_, *args, **kwargs)

        return wrapper

    def _making(self, original: Any, told: Callable[[Any], None]) -> Any:
        bare = original is object.__new__

        @functools.wraps(original)
        def __new__(kind: type, *args: Any, **kwargs: Any) -> Any:  # noqa: N807 - the name that it has
            made = original(kind) if bare else original(kind, *args, **kwargs)
            if not self.recorder.stopped:
                self.recorder.guarded("keras", told, made)
            return made

        return __new__

    # --- what was made, and where -------------------------------------------------------------------------------

    def layer(self, layer: Any) -> None:
        """A layer is made."""
        trace = source.trace(sys._getframe(1))
        if trace is not None:
            self._made[id(layer)] = (ref(layer), trace)

    def froze(self, layer: Any, value: Any) -> None:
        """A layer's `trainable` was set."""
        trace = None if value else source.trace(sys._getframe(1))
        if trace is not None:
            self._frozen[id(layer)] = (ref(layer), trace)
        else:
            self._frozen.pop(id(layer), None)

    def schedule(self, schedule: Any) -> None:
        """A schedule of rates is made; its class need not call an `__init__` of Keras'."""
        trace = source.trace(sys._getframe(1))
        if trace is not None:
            self._schedules[schedule] = trace

    def compiled(self, model: Any) -> None:
        """`compile` was called."""
        trace = source.trace(sys._getframe(1))
        if trace is not None:
            self._compiled[model] = trace

    def home(self, layer: Any) -> source.Trace | None:
        """Where a layer was made."""
        return _known(self._made, layer)

    # --- optimizers ---------------------------------------------------------------------------------------------

    def optimizer(self, optimizer: Any, trace: source.Trace | None = None) -> Made:
        """What stands for an optimizer of Keras', and where that was made, if it was made just now."""
        found = self._optimizers.get(optimizer)
        if found is None:
            found = self._optimizers[optimizer] = Made(type(optimizer).__name__, {}, trace)
            self.recorder.optimizers.finished_making(found, optimizer)
        return found

    def _updating(self, original: Any) -> Any:
        recorder = self.recorder

        @functools.wraps(original)
        def apply(optimizer: Any, grads: Any, *args: Any, **kwargs: Any) -> Any:
            told = recorder.listening and bool(grads)
            if told:
                recorder.guarded("keras", self.updates, optimizer, grads)
            result = original(optimizer, grads, *args, **kwargs)
            if told:
                recorder.guarded("keras", self.updated, optimizer, grads)
            return result

        return apply

    def updates(self, optimizer: Any, gradients: Sequence[Any]) -> None:
        """An update is calculated."""
        entry, optimizers = self.optimizer(optimizer), self.recorder.optimizers
        self.learn(optimizer)
        optimizers.gathering.append(Gathering(int(getattr(optimizer, "gradient_accumulation_steps", None) or 1)))
        try:
            optimizers.updating(entry, gradients, None, sys._getframe(1))
        finally:
            optimizers.gathering.pop()

    def updated(self, optimizer: Any, gradients: Sequence[Any]) -> None:
        """And was applied."""
        names = list(self.recorder.parameters_in(gradients))
        made = [variable.value for variable in getattr(optimizer, "_trainable_variables", ())]
        after = dict(zip(names, made, strict=True)) if len(made) == len(names) else {}
        self.recorder.moment(Moment("apply", source.trace(sys._getframe(1)), None, tuple(names), after))

    def learn(self, optimizer: Any) -> None:
        """Take in how an optimizer is set now."""
        entry, given = self.optimizer(optimizer), getattr(optimizer, "_learning_rate", None)
        entry.settings.update(settings_of(optimizer))
        if callable(given):
            # timid: what a schedule of the user's own does as it is called is not repeated
            asked = reckons(given) and hasattr(given, "get_config")  # a plain function is not told the step
            entry.parts = [Made("scale_by_schedule", {"step_size_fn": _turned(given)}, self._schedules.get(given))] if asked else []
        elif (rate := _number(getattr(given, "_value", given))) is not None:
            entry.settings["learning_rate"] = rate

    # --- steps --------------------------------------------------------------------------------------------------

    def driven(self, model: Any, *_: Any, optimizer_variables: bool = False, **__: Any) -> None:
        """`fit` or `train_on_batch` takes the variables out of its model for the steps that follow."""
        trace = source.trace(sys._getframe(1)) if optimizer_variables else None
        if trace is not None:
            self._drivers[trace.user[0]] = self._compiled.get(model)
            self.learn(model.optimizer)

    def place(self, found: source.Trace | None, frame: FrameType | None) -> source.Trace | None:
        """The user's place for what `fit` computes by itself: where the layer was made, or the loss was chosen; any other place is as it was."""
        if found is None or found.user[0] not in self._drivers:
            return found
        layer = next(layers_around(frame), None)
        if layer is not None:
            made = self.home(layer)
            return Decided(made.user, found.library) if made is not None else found
        compiled = self._drivers[found.user[0]]
        return Decided(compiled.user, found.library, ("loss", 1)) if compiled is not None else found

    def named(self, derivation: Derivation, asked: Asked) -> None:
        """A step of Keras' own is differentiated: its variables go by Keras' names, and what is no data is told apart."""
        model = getattr(asked.function, "__self__", None)
        if not self._watched or not isinstance(model, sys.modules[TRAINER].JAXTrainer):
            return
        homes = dict(self._homes(model))
        for at, root in enumerate(VARIABLES):
            given = asked.args[at] if at < min(3, len(asked.args)) else asked.kwargs.get(root)
            held = _variables(model, root)
            if isinstance(given, list | tuple) and len(given) == len(held):
                numbers = {derivation.numbers.of(item): variable for item, variable in zip(given, held, strict=True)}
                self._rename(derivation, numbers, model, homes)

    def _rename(self, derivation: Derivation, held: Mapping[int, Any], model: Any, homes: Mapping[int, Any]) -> None:
        for argument in derivation.arguments:
            variable = held.get(argument.number)
            if variable is None:
                continue
            argument.path = str(variable.path).removeprefix(f"{model.name}/")
            argument.state, argument.frozen = not argument.differentiated, not argument.differentiated and id(variable) in homes
            layer, assembly = homes.get(id(variable)), self.recorder.assembly
            made, froze = self.home(layer), _known(self._frozen, layer)
            assembly.makers.update({argument.path: made} if made is not None else {})
            assembly.freezers.update({argument.path: froze} if froze is not None else {})

    @staticmethod
    def _homes(model: Any) -> Iterator[tuple[int, Any]]:
        """The variables that layers are trained by, frozen or not, with their layers."""
        for layer in model._flatten_layers():
            yield from ((id(variable), layer) for variable in layer._trainable_variables)

    def handed_out(self, known: tuple[Batches, ...], steps: Sequence[Step]) -> tuple[Batches, ...]:
        """What jitted functions were given, and with it the two parts of what `fit` was given, where the program calls it in one place."""
        site = self.recorder.builder.site(source.Trace((next(iter(self._drivers)),), ())) if len(self._drivers) == 1 else None
        pairs = [event.targets for step in steps for event in step.events if event.kind == "batch"]
        if site is None or not pairs or any(len(pair) != 2 for pair in pairs):  # noqa: PLR2004 - inputs and labels
            return known
        inputs, labels = (tuple(dict.fromkeys(pair[at] for pair in pairs)) for at in (0, 1))
        told = tuple(replace(one, path="[1]", site=site) if not set(one.values).isdisjoint(labels) else one for one in known)
        rest = () if any(one.site is not None for one in told) else (Batches("[1]", len(pairs), values=labels, site=site),)
        return (*told, Batches("[0]", len(pairs), values=inputs, site=site), *rest)

    def frameworks(self) -> tuple[Framework, ...]:
        """Keras, where the program makes something of it."""
        version = getattr(sys.modules.get("keras"), "__version__", "") if self._drivers else ""
        return (Framework("keras", str(version)),) if version else ()


def _known(table: Mapping[int, tuple[ReferenceType[Any], source.Trace]], layer: Any) -> source.Trace | None:
    reference, trace = table.get(id(layer), (None, None))
    return trace if reference is not None and reference() is layer else None


def _turned(schedule: Any) -> Callable[[int], float]:
    """What updates are multiplied by, as optax' schedules say it: the rate, with its sign turned round."""
    return lambda step: -float(np.asarray(schedule(step)))


def _number(item: Any) -> float | None:
    if item is None or _compat.is_tracer(item) or getattr(item, "is_deleted", bool)():
        return None
    try:
        return float(np.asarray(item))
    except (TypeError, ValueError):
        return None


def _variables(model: Any, root: str) -> list[Any]:
    owner, name = (model.optimizer, "variables") if root == "optimizer_variables" else (model, root)
    return list(getattr(owner, name, None) or ())
