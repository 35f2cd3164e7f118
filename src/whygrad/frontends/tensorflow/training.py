"""Keras' own training: `compile`, `fit`, `train_on_batch`. A compiled step is rehearsed; an eager one is recorded as it runs."""

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from types import FrameType, SimpleNamespace
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from whygrad.frontends import places, source
from whygrad.frontends.tensorflow import _compat, tracing
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.ahead import Ahead, at_rest
from whygrad.frontends.tensorflow.augmenting import moved_apart
from whygrad.frontends.tensorflow.batches import Batches, called, elements_of
from whygrad.frontends.tensorflow.belongings import of_model
from whygrad.frontends.tensorflow.compiled import Compiled, trained_by
from whygrad.frontends.tensorflow.guard import guarded
from whygrad.frontends.tensorflow.handed import alone, as_tensors, other_batches, rows, spoilt, unsound, weightless
from whygrad.frontends.tensorflow.pairs import Pairs
from whygrad.frontends.tensorflow.patches import Original
from whygrad.frontends.tensorflow.rehearsal import Rehearsal
from whygrad.frontends.tensorflow.reliving import Again
from whygrad.frontends.tensorflow.running import place_of
from whygrad.frontends.tensorflow.scopes import is_tensor
from whygrad.ir import Site

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder

REMEMBERED = 256
"""Changes of `trainable` that are remembered, to name the line of one that a compiled step does not see."""
DISTRIBUTED = "steps of a model that a distribution strategy spreads over devices are not recorded"


class Training:
    """Drives the recording of steps that Keras runs."""

    def __init__(self, recorder: "TensorFlowRecorder") -> None:
        self.recorder = recorder
        self.driving = False
        self.batches = Batches()
        self.ahead = Ahead()
        self.pairs = Pairs()
        self.rehearsal: Rehearsal | None = None
        self.driver: source.Trace | None = None
        self._names: tuple[str, str] = ("x", "y")
        self._holders: tuple[tuple[Any, str, int] | None, ...] = (None, None)
        self._compiled: dict[int, tuple[ReferenceType[Any], source.Trace, Any]] = {}
        self._switches: dict[tuple[int, object, bool], tuple[ReferenceType[Any], source.Trace, bool]] = {}
        """By layer, place and direction: what was switched and is not told yet."""
        self.turned: deque[tuple[ReferenceType[Any], source.Trace, bool]] = deque(maxlen=REMEMBERED)
        self._switches_seen = 0
        self._batch: tuple[Any, Any] | None = None
        """The last that a step was recorded on, and what an iterator over it must look like."""
        self._given: tuple[Any, ...] = ()
        """What `fit` was handed: inputs, labels and weights."""
        self._rows = 0
        """How many rows of it are trained on."""
        self._trains = True
        """The model whose steps run has something that is trained."""

    # --- compile, fit -------------------------------------------------------------------------------------------

    @guarded
    def compiled(self, model: Any, loss: Any) -> None:
        """`model.compile` was called."""
        trace = source.trace(sys._getframe(2))
        if trace is not None:
            self._compiled[id(model)] = (ref(model), trace, loss)

    def driven(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`fit` and `train_on_batch`: the line of the user's that runs the steps."""
        if self.recorder.stopped or threading.get_ident() != self.recorder.thread:
            return original(*args, **kwargs)
        outer = self.driver, self._names, self._holders, self._given
        self.begin(args, kwargs, sys._getframe(1))
        try:
            result = original(*args, **kwargs)
        except Exception as problem:
            self.refused(args, kwargs, problem)
            raise
        else:
            if original.__name__ == "fit":
                self.looked_over(args[0])
            return result
        finally:
            self.driver, self._names, self._holders, self._given = outer

    @guarded
    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType) -> None:
        """A call of `fit`."""
        if self.driver is not None:
            return
        self.driver = source.trace(frame)
        model = args[0]
        if getattr(model, "optimizer", None) is not None and getattr(model, "built", False):
            self.recorder.optimizers.begins(model.optimizer, model.trainable_variables)
        site = self.recorder.builder.site(self.driver)
        x, y = places.spelled(site, "x", 0), places.spelled(site, "y", 1)
        given = kwargs.get("y", args[2] if len(args) > 2 else None)  # noqa: PLR2004 - model, x, y
        self._given = (kwargs.get("x", args[1] if len(args) > 1 else None), given, kwargs.get("sample_weight"))
        self._rows = int(rows(given) * (1 - float(kwargs.get("validation_split") or 0)))
        self._names = (x or "x", y or "y") if given is not None else (f"{x}[0]" if x else "x", f"{x}[1]" if x else "y")
        if given is not None:
            self.pairs.given(place_of(self.driver), kwargs.get("x", args[1] if len(args) > 1 else None), given)
        user = source.user_frame(frame)
        if user is not None and given is not None:
            self._holders = tuple((user.f_code, name, user.f_lineno) if name.isidentifier() else None for name in self._names)
        elif user is not None and x.isidentifier():
            self.batches.made(self.driver, places.assigned_at(self.recorder.sources, user.f_code, x, user.f_lineno))
        if self.recorder.on:
            self.recorder.layers.root(args[0])

    @guarded
    def refused(self, args: tuple[Any, ...], kwargs: dict[str, Any], problem: BaseException) -> None:
        """`fit` raised: where no step had begun, what it was given is all that is known."""
        recorder = self.recorder
        if not recorder.on or recorder.steps or recorder.running.backwards or recorder.failing.call is not None or recorder.running.failed:
            return
        given = [kwargs.get("x", args[1] if len(args) > 1 else None), kwargs.get("y", args[2] if len(args) > 2 else None)]  # noqa: PLR2004 - model, x, y
        given.append(kwargs.get("sample_weight"))
        recorder.failing.given(given, (*self._names, "sample_weight"), self.driver, problem)

    def compiled_last(self) -> source.Trace | None:
        """Where a model was compiled, of several the last."""
        return next((trace for _, trace, _ in reversed(self._compiled.values())), None)

    def loss_site(self, model: Any) -> Site | None:
        """Where the loss of a compiled model was chosen."""
        held = self._compiled.get(id(model))
        if held is None or held[0]() is not model:
            return None
        made = self.recorder.layers.place(held[2]) if not isinstance(held[2], str | list | dict | type(None)) else None
        if made is not None:
            return self.recorder.builder.site(made)
        return places.of_argument(self.recorder.sources, held[1], "loss", 1)

    @guarded
    def switched(self, layer: Any, trace: source.Trace, *, on: bool) -> None:
        """`layer.trainable` was set; told once its parameters have names."""
        key = id(layer), trace.user, on
        self._switches.pop(key, None)
        self._switches[key] = ref(layer), trace, on
        self.turned.append(self._switches[key])
        self._switches_seen += 1
        if on and self.recorder.steps and not self.recorder.on and not self._compiled:
            self.recorder.kinds.again()  # a loop of the program's own may train by a list that it made before
            if self.recorder.running.updated:
                self.recorder.end_unrecorded()

    def tell_switches(self) -> None:
        """Note what was switched, as soon as its parameters have names."""
        names = self.recorder.assembly.names
        for key, (reference, trace, on) in list(self._switches.items()):
            numbers = self._numbers(reference())
            found = tuple(names[number] for number in numbers if number in names)
            if found:
                self.recorder.happened("unfreeze" if on else "freeze", trace, found)
            if found or reference() is None:
                del self._switches[key]

    def _numbers(self, layer: Any) -> list[int]:
        """Numbers of a layer's variables."""
        variable = self.recorder.ledger.values.variable
        held = (variable(getattr(weight, "_value", weight)) for weight in getattr(layer, "weights", ()))
        return [entry.number for entry in held if entry is not None]

    # --- steps --------------------------------------------------------------------------------------------------

    def wrapped(self, model: Any, function: Callable[..., Any]) -> Callable[..., Any]:
        """A train function that tells of its steps."""
        compiled = Compiled()

        def train_function(iterator: Any) -> Any:
            recorder = self.recorder
            if recorder.stopped or recorder.quiet or threading.get_ident() != recorder.thread or self.driving:
                return function(iterator)
            if compiled.looked != self._switches_seen:
                self.compare(model, compiled)
            self.begins(model, compiled)
            iterator, was_on = self.ahead.instead_of(iterator), recorder.on
            if was_on and getattr(model, "run_eagerly", False):
                return self.eagerly(model, function, iterator)
            logs = self.rehearsed(model, function, iterator) if was_on else function(self.peeked(model, iterator))
            compiled.settled(recorder.settled, function, model)
            return logs if was_on else self.passed(model, function, logs)

        train_function.whygrad = True  # type: ignore[attr-defined]  # tells our own wrapper from Keras' function
        return train_function

    @guarded
    def begins(self, model: Any, compiled: Compiled) -> None:
        """Another call of `fit`, or another optimizer, may be another training: a teacher before its student."""
        optimizer, recorder = getattr(model, "optimizer", None), self.recorder
        made = recorder.optimizers.meet(optimizer).made if optimizer is not None else None
        training = place_of(self.driver), place_of(made)
        # a step that was compiled before something was switched on or off trains other variables than a rehearsal would
        if recorder.kinds.begun(training) or compiled.trained not in (None, trained_by(model)):
            return
        recorder.kinds.begins(training)
        recorder.arm()

    @guarded
    def compare(self, model: Any, compiled: Compiled) -> None:
        """Whether what is trainable now is what the compiled step trains."""
        compiled.looked = self._switches_seen
        now = trained_by(model)
        if compiled.trained is None:
            compiled.trained = now
        changed = compiled.trained ^ now
        if not changed or getattr(model, "run_eagerly", False):
            return
        for reference, trace, on in reversed(self.turned):
            held = [v for v in getattr(reference(), "weights", ()) if id(v) in changed]
            if held:
                self.tell_late(trace, held, on=on)
                return

    def tell_late(self, trace: source.Trace, held: list[Any], *, on: bool) -> None:
        """A switch that the compiled step, made before it, knows nothing of."""
        recorder = self.recorder
        recorder.assembly.known_parameters()
        numbers = [recorder.ledger.values.variable(getattr(variable, "_value", variable)) for variable in held]
        names = tuple(recorder.assembly.names[e.number] for e in numbers if e is not None and e.number in recorder.assembly.names)
        if names and recorder.steps:
            recorder.late("unfreeze" if on else "freeze", trace, names)

    def eagerly(self, model: Any, function: Callable[..., Any], iterator: Any) -> Any:
        """A step that runs as Python anyway: recorded as it runs."""
        with self.recorder.aside():
            taken = list(islice(iterator, int(getattr(model, "steps_per_execution", 1) or 1)))
        if not taken:
            return function(iterator)
        self.look(taken)
        with self.step(model):
            self.batch(taken[0])
            return function(iter(taken))

    @contextmanager
    def step(self, model: Any) -> Iterator[None]:
        """One call of a train function, recorded as it runs."""
        self.open(model)
        self.driving = True
        try:
            yield
        except Exception:
            self.driving = False
            raise
        self.driving = False
        self.close()

    @guarded
    def open(self, model: Any) -> None:
        """A recorded step of Keras' begins."""
        running = self.recorder.running
        running.driver = self.driver
        running.loss_site = self.loss_site(model)
        self._trains = bool(getattr(model, "trainable_variables", ()))
        self.recorder.layers.root(model)

    @guarded
    def close(self) -> None:
        """It is over."""
        recorder = self.recorder
        if not (recorder.running.backwards or recorder.running.updated) and any(call.tracking for call in recorder.ledger.calls):
            raised, recorder.running.failed = recorder.running.failed, True  # nothing was differentiated: a step all the same
            recorder.running.losses = recorder.running.losses or self.last_number()
            recorder.running.seen = recorder.assembly.known_parameters()
            self.tell_switches()
            if not raised and recorder.running.losses and recorder.running.seen and not self._trains:
                # Keras asks for no gradient where nothing is trainable
                recorder.happened("backward", self.driver, tuple(recorder.running.losses), {"stale": 0, "failed": False})
        recorder.end_step()
        if recorder.kinds.complete:
            recorder.rest()

    def last_number(self) -> list[str]:
        """What Keras would have differentiated: the last single number that the step made on its tape; none where a call raised before."""
        if any(call.failed for call in self.recorder.ledger.calls):
            return []
        seen = self.recorder.ledger.values.seen
        made = [name for call in self.recorder.ledger.calls if call.tracking for name in call.outputs]
        return [name for name in made if seen[name].shape == () and seen[name].dtype.startswith(("f", "bf"))][-1:]

    def rehearsed(self, model: Any, function: Callable[..., Any], iterator: Any) -> Any:
        """A compiled step: run eagerly on the same batch, put back, and then run as it would have been."""
        if not isinstance(iterator, tf.data.Iterator) and not isinstance(iterator, Iterator):
            self.limit(DISTRIBUTED)
            return function(iterator)
        count = int(getattr(model, "steps_per_execution", 1) or 1)
        with self.recorder.aside():
            taken = list(islice(iterator, count))
        if not taken:
            return function(iterator)
        self.look(taken)
        self._batch = (taken[0], SimpleNamespace(element_spec=iterator.element_spec)) if isinstance(iterator, tf.data.Iterator) else None
        if count > 1:
            self.limit(f"of {count} steps that run as one (`steps_per_execution`), the first was recorded")
        again = _compat.iterator_over(taken, iterator) if isinstance(iterator, tf.data.Iterator) else iter(taken)
        return tracing.between(self.recorder, model, tracing.KERAS, lambda: function(again), partial(self.first, model, taken[0]))

    def first(self, model: Any, data: Any, go: tracing.Go | None) -> Any:
        """Rehearse a step before it runs, or after it was refused."""
        self.recorder.reliving.note()
        self.rehearse(model, data)
        return go() if go is not None else None

    def peeked(self, model: Any, iterator: Any) -> Any:
        """What is to run on: the same batches, the first few of which are looked at on their way."""
        if self.ahead.holds(iterator) or not isinstance(iterator, tf.data.Iterator) or not self.batches.wants(self.driver):
            return iterator
        single = int(getattr(model, "steps_per_execution", 1) or 1) == 1 and not getattr(model, "run_eagerly", False)
        return self.ahead.look(iterator, self.look, many=at_rest(self._given[:1])) if single else iterator

    @guarded
    def look(self, taken: list[Any]) -> None:
        """Take batches in."""
        for data in taken:
            self.batches.look(self.driver, data)
            self.pairs.batch(place_of(self.driver), dict(elements_of(data)))

    @guarded
    def limit(self, text: str) -> None:
        """Say what can't be seen."""
        self.recorder.limits.append(text)

    def rehearse(self, model: Any, data: Any) -> None:
        """One step, eagerly, with everything put back."""
        recorder = self.recorder
        self.open(model)
        self.driving, self.rehearsal = True, Rehearsal(recorder, of_model(model))
        try:
            with self.rehearsal.running():
                data = as_tensors(data)
                self.batch(data)
                self.run(model, data)
                self.finished()
            getattr(model, "_clear_losses", lambda: None)()
        except Exception as problem:  # noqa: BLE001 - a fault of ours must not end the program
            recorder.broken("rehearse", problem)
        finally:
            self.driving, self.rehearsal = False, None

    def run(self, model: Any, data: Any) -> None:
        """The program's own step; what it raises, it will raise again in the real one."""
        convert = getattr(model, "_autoconvert_optionals", lambda step: step)
        try:
            convert(model.train_step)(data)
        except Exception as problem:  # noqa: BLE001 - told by the real step
            self.failed(problem)

    @guarded
    def failed(self, problem: Exception) -> None:
        """The rehearsal raised: the real step will as well."""
        recorder = self.recorder
        recorder.failing.raised(problem.__traceback__, sys._getframe(2), problem)
        recorder.failing.take()
        recorder.failing.told = type(problem).__name__
        recorder.running.failed = True
        recorder.running.seen = recorder.running.seen or recorder.assembly.known_parameters()
        recorder.ledger.happened("exception", None, (), {"type": type(problem).__name__, "message": str(problem)[:2000]})

    @guarded
    def finished(self) -> None:
        """The rehearsed step is over, before anything is put back."""
        self.close()

    @guarded
    def batch(self, data: Any) -> None:
        """Name what the step was given."""
        recorder = self.recorder
        parts = data if isinstance(data, tuple | list) else (data,)
        names: list[str] = []
        for at, part in enumerate(parts[:3]):
            flat = [item for item in tf.nest.flatten(part) if is_tensor(item) and item.dtype not in (tf.variant, tf.resource)]
            for number, item in enumerate(flat):
                name = recorder.ledger.values.name(item)
                seen = recorder.ledger.values.seen[name]
                base = (*self._names, "sample_weight")[at]
                seen.called, seen.role, seen.held = called(base, part, number, len(flat)), "input", item
                seen.holder = (*self._holders, None)[at]
                names.append(name)
                self.batches.note(self.driver, f"[{at}]" if len(flat) == 1 else f"[{at}][{number}]", name)
                if at == 1:
                    recorder.running.labels = (*recorder.running.labels, name)
        given = self._given[0] if self._given else None
        recorder.happened("batch", self.driver, tuple(names), {**alone(given, data), **moved_apart(given), **weightless(self._given)})

    # --- between recorded steps ---------------------------------------------------------------------------------

    def passed(self, model: Any, function: Callable[..., Any], logs: Any) -> Any:
        """A step that was not recorded; where it is the first whose loss is not finite, find out why."""
        if self.count(model, logs) and self._batch is not None:
            data, like = self._batch
            count = int(getattr(model, "steps_per_execution", 1) or 1)
            again = partial(self.again, model, function, like, count)
            self.recorder.reliving.again(self.recorder.index - 1, again(data), map(again, other_batches(self._given, data, self._rows)))
            self.looked_over()
        return logs

    def again(self, model: Any, function: Callable[..., Any], like: Any, count: int, data: Any) -> Again:
        """The step once more, on a batch."""
        return Again(lambda: function(_compat.iterator_over([data] * count, like)), lambda: self.rehearse(model, data))

    @guarded
    def looked_over(self, model: Any = None) -> None:
        """Where no step tells why what a model holds is no number: see whether the data that were handed over are all finite."""
        recorder = self.recorder
        if not recorder.steps or any(step.births for step in recorder.steps) or (model is not None and not unsound(model)):
            return
        found = spoilt(self._given, recorder.steps, recorder.index - 1)
        if found is not None:
            recorder.steps = [found if step.index == found.index else step for step in recorder.steps]

    @guarded
    def count(self, model: Any, logs: Any) -> bool:
        """Count it, and note its loss; True for the first that is not finite."""
        recorder = self.recorder
        ran = bool(recorder.running.updated or recorder.running.backwards)
        seen = ran and bool(getattr(model, "run_eagerly", False))  # as it ran: its backward and update, if it made one, are counted
        recorder.backwards += not seen
        optimizer = getattr(model, "optimizer", None)
        updates = not seen and (
            any(step.updated for step in recorder.steps) or not recorder.steps
        )  # one of the program's own may forget to
        if optimizer is not None and updates:
            entry = recorder.optimizers.meet(optimizer)
            recorder.optimizers.unseen(entry, 1)
            if recorder.optimizers.fell_away(entry):
                recorder.kinds.again()
                recorder.arm()
        rate = recorder.optimizers.meet(optimizer).last if optimizer is not None else None
        bad = recorder.symptoms.running_loss(model, logs, place_of(self.driver), recorder.index, self.driver, rate)
        recorder.index += not seen
        recorder.running.backwards = 0
        if seen:
            recorder.end_unrecorded()
        if not bad:
            recorder.reliving.note()
        if not seen:
            recorder.rare.passed(place_of(self.driver), optimizer)
            recorder.observer.ended(recorder.index - 1, recorder.kinds.complete)
        if recorder.settings.at_step is not None:
            recorder.arm()
        return bad
