"""What the patched functions of TensorFlow and Keras tell: gradients, updates, what leaves and comes back. Every method is guarded."""

import sys
import threading
from collections.abc import Collection, Iterator
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from whygrad.frontends import places, source
from whygrad.frontends.arrays import wide
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.departures import Departures
from whygrad.frontends.tensorflow.frames import users
from whygrad.frontends.tensorflow.functions import Enough
from whygrad.frontends.tensorflow.guard import guarded
from whygrad.frontends.tensorflow.layers import floating
from whygrad.frontends.tensorflow.optimizers import clipped, lessened
from whygrad.frontends.tensorflow.patches import Original
from whygrad.frontends.tensorflow.replay import Loss, TensorFlowReplay
from whygrad.frontends.tensorflow.running import place_of, user_part
from whygrad.frontends.tensorflow.scopes import is_tensor
from whygrad.frontends.tensorflow.sums import Sums
from whygrad.frontends.tensorflow.templates import bad
from whygrad.frontends.tensorflow.values import Variable

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder

MOST_EXAMINED = 4
"""Backwards of one step that are examined: accumulation over many micro-batches repeats itself."""
MOST_BACKWARDS = 64
"""A step that never updates is cut after this many backwards."""
CUSTOM = {"swish_impl": "silu"}
"""Functions of TensorFlow's own with a gradient of their own."""


class Hooks:
    """The recorder's ears; they keep nothing of their own."""

    def __init__(self, recorder: "TensorFlowRecorder") -> None:
        self.recorder = recorder
        self.departures = Departures(recorder)
        self.sums = Sums(recorder)

    # --- gradients ----------------------------------------------------------------------------------------------

    def gradient(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`GradientTape.gradient`."""
        recorder = self.recorder
        if recorder.stopped or recorder.quiet or threading.get_ident() != recorder.thread or not _compat.eager():
            return original(*args, **kwargs)
        if recorder.functions.enough():
            raise Enough
        frame = sys._getframe(1)
        target = kwargs.get("target", args[1] if len(args) > 1 else None)
        sources = kwargs.get("sources", args[2] if len(args) > 2 else None)  # noqa: PLR2004 - its second argument
        if not recorder.on:
            self.unrecorded(target, frame)
            return original(*args, **kwargs)
        begun = self.begin(target, frame)
        try:
            with recorder.aside():
                result = original(*args, **kwargs)
        except Exception:
            self.end(begun, sources, None, frame, raised=True)
            raise
        self.end(begun, sources, result, frame, raised=False)
        return result

    @guarded
    def unrecorded(self, target: Any, frame: FrameType) -> None:
        """A backward outside the recorded steps."""
        recorder = self.recorder
        recorder.turns.look(frame)
        longest = MOST_BACKWARDS if recorder.optimizers.all() else recorder.recorded_backwards
        if recorder.running.updated or recorder.running.backwards >= longest:
            recorder.end_unrecorded()
        recorder.backwards += 1
        recorder.running.backwards += 1
        trace = source.trace(frame)
        site = place_of(trace)
        if site not in recorder.running.sites:
            recorder.running.sites.append(site)
        if recorder.symptoms.loss(target, site, recorder.index, trace):
            recorder.templates.explain(site, recorder.index, frame)

    @guarded
    def begin(self, target: Any, frame: FrameType) -> list[Loss]:
        """Before a backward: which losses."""
        self.recorder.turns.look(frame)
        self.recorder.backwards += 1
        values = self.recorder.ledger.values
        flat = [item for item in tf.nest.flatten(target) if is_tensor(item)]
        losses = [Loss(values.name(item), item) for item in flat]
        user = source.user_frame(frame)
        for loss in losses:
            seen = values.seen[loss.value]
            for name, held in tuple(user.f_locals.items()) if user is not None else ():
                if held is loss.tensor and not seen.called:
                    seen.called = name
        return losses

    def _variables(self, sources: Any) -> list[Variable | None]:
        values = self.recorder.ledger.values
        flat = tf.nest.flatten(sources)
        return [values.variable(getattr(item, "_value", item)) if not is_tensor(item) else None for item in flat]

    @guarded
    def end(self, losses: list[Loss] | None, sources: Any, result: Any, frame: FrameType, *, raised: bool) -> None:
        """After a backward: gradients, and the experiments on the step while it can still be replayed."""
        recorder = self.recorder
        if losses is None or not recorder.on:
            return
        found = self._variables(sources)
        gradients = [None] * len(found) if result is None else [None if g is None else g for g in _flat(result)]
        asks = any(entry is not None for entry in found)
        unwatched = () if raised else self._unwatched(losses, sources, gradients)
        if found and not asks and not (unwatched and all(gradient is None for gradient in gradients)):
            self._derivative(losses, sources, gradients, frame)
            return
        recorder.running.backwards += 1
        trace = source.trace(frame)
        told = {"stale": 0, "failed": raised, **({"unwatched": unwatched} if unwatched else {}), **({} if found else {"asked": 0})}
        recorder.layers.asked.update(entry.number for entry in found if entry is not None)
        recorder.happened("backward", trace, tuple(loss.value for loss in losses), told)
        site = place_of(trace)
        if site not in recorder.running.sites:
            recorder.running.sites.append(site)
        for loss in losses:
            if loss.value not in recorder.running.losses:
                recorder.running.losses.append(loss.value)
            recorder.symptoms.loss(loss.tensor, site, recorder.index, trace, recorded=True)
        self._names(frame)
        recorder.running.seen = recorder.assembly.known_parameters()
        recorder.training.tell_switches()
        for number, owned in recorder.running.seen.items():
            recorder.running.before.setdefault(number, recorder.ledger.values.of_variable(owned.entry).name)
        asked = {entry.number: entry for entry in found if entry is not None}
        recorder.optimizers.asked.update(asked)
        left_out = [owned for number, owned in recorder.running.seen.items() if owned.trainable and number not in asked]
        recorder.running.listed = places.listed(recorder.builder.sources, trace) if left_out and self._own(trace) else None
        recorder.running.listed_for.update({id(gradient): recorder.running.listed for gradient in gradients if gradient is not None})
        own = self._gather(found, gradients)
        if asks and recorder.running.examined < MOST_EXAMINED:
            recorder.running.examined += 1
            self._examine(losses, own, asked.keys(), frame)

    def _unwatched(self, losses: list[Loss], sources: Any, gradients: list[Any]) -> tuple[str, ...]:
        """Sources that are no variables, that the losses were computed from, and that got None as no tape followed them."""
        values = self.recorder.ledger.values
        pairs = zip(tf.nest.flatten(sources), gradients, strict=False)
        names = [values.name(item) for item, gradient in pairs if gradient is None and is_tensor(item)]
        plain = [name for name in names if not values.seen[name].differentiable]
        if not plain:
            return ()
        behind = {loss.value for loss in losses}
        for call in reversed(self.recorder.ledger.calls):
            if not behind.isdisjoint(call.outputs):
                behind.update(call.inputs)
        return tuple(name for name in plain if name in behind)

    def _names(self, frame: FrameType) -> None:
        frames = users(frame)
        self.recorder.optimizers.name_all(frames)
        self.recorder.layers.name_all(frames, self.recorder.ledger.values)

    def _gather(self, found: list[Variable | None], gradients: list[Any]) -> dict[int, NDArray[Any]]:
        """What the backward gave each parameter, as arrays."""
        recorder = self.recorder
        own: dict[int, NDArray[Any]] = {}
        for entry, gradient in zip(found, gradients, strict=False):
            if entry is None or entry.number not in recorder.running.seen:
                continue
            if gradient is not None:
                own[entry.number] = dense(gradient)
                if is_tensor(gradient):
                    name = recorder.ledger.values.name(gradient)
                    recorder.ledger.values.seen[name].role = "gradient"
        for number, owned in recorder.running.seen.items():
            before = recorder.running.gradients.get(number)
            if number in own:
                total = own[number] if before is None else before + own[number]
                recorder.running.gradients[number] = total
                recorder.watch.gradient(number, owned.variable, total)
            elif before is None:
                recorder.watch.before(number, owned.variable)
        return own

    def _derivative(self, losses: list[Loss], sources: Any, gradients: list[Any], frame: FrameType) -> None:
        """A gradient with respect to something that is no parameter: part of the forward."""
        look = self.recorder.ledger.frames.look(frame)
        inputs = [*(loss.tensor for loss in losses), *(item for item in tf.nest.flatten(sources) if is_tensor(item))]
        outputs = [item for item in gradients if is_tensor(item)]
        if inputs and outputs and look.points:
            self.recorder.ledger.call("gradient", inputs, outputs, look, kind="opaque")

    def _unasked(self, replay: TensorFlowReplay, asked: Collection[int]) -> None:
        """The gradient of parameters that the program did not ask for, as a backward through everything would give it."""
        if self.recorder.settings.experiments == "off":
            return
        found = replay.all_gradients()
        for number, owned in self.recorder.running.seen.items():
            if number not in asked and owned.name in found:
                self.recorder.watch.gradient(number, owned.variable, found[owned.name])

    def _examine(self, losses: list[Loss], own: dict[int, NDArray[Any]], asked: Collection[int], frame: FrameType) -> None:
        recorder = self.recorder
        running = recorder.running
        replay = TensorFlowReplay(
            list(recorder.ledger.calls), losses, {owned.name: owned for owned in running.seen.values()}, recorder.ledger.values,
            recorded={running.seen[number].name: gradient for number, gradient in own.items()},
            optimizers=recorder.optimizers,
        )  # fmt: skip
        self._unasked(replay, asked)
        if recorder.training.rehearsal is None and recorder.settings.experiments != "off" and running.sites:
            recorder.templates.keep(running.sites[-1], replay, recorder.index, frame)
        bad = any(not np.isfinite(gradient).all() for gradient in own.values()) or not replay.loss_finite
        if bad and recorder.settings.experiments != "off":
            running.unfolded |= replay.unfolding(recorder.index)
        step = recorder.assembly.build(recorder.index, running, recorder.ledger.calls, recorder.ledger.events)
        examined = recorder.observer.examine(step, replay)
        running.births = (*running.births, *(birth for birth in examined.births if birth not in running.births))
        known = running.measures
        running.trials = (*running.trials, *(trial for trial in examined.trials if trial not in running.trials))
        if known is None or (examined.measures.label_sensitivity or 0.0) > (known.label_sensitivity or 0.0):
            running.measures = examined.measures

    # --- updates ------------------------------------------------------------------------------------------------

    def apply(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`Optimizer.apply`."""
        recorder = self.recorder
        idle = recorder.stopped or recorder.quiet or recorder.in_update or threading.get_ident() != recorder.thread
        if idle or not _compat.eager():
            return original(*args, **kwargs)
        frame, given = sys._getframe(1), args[2] if len(args) > 2 else kwargs.get("trainable_variables")  # noqa: PLR2004 - its second argument
        if isinstance(given, Iterator):  # it can be read once, and Keras makes a list of it as well
            given = list(given)
            args, kwargs = (args[0], args[1] if len(args) > 1 else kwargs["grads"], given), {}
        self.before_update(args[0], args[1] if len(args) > 1 else kwargs.get("grads"), given, frame)
        recorder.in_update = True
        try:
            result = original(*args, **kwargs)
        finally:
            recorder.in_update = False
        self.after_update(args[0], frame)
        return result

    @guarded
    def before_update(self, optimizer: Any, gradients: Any, variables: Any, frame: FrameType) -> None:
        """An optimizer's update begins."""
        recorder = self.recorder
        recorder.optimizers.begins(optimizer, variables or getattr(optimizer, "_trainable_variables", None) or ())
        entry = recorder.optimizers.stepping(optimizer)
        made = user_part(entry.made) or entry.native
        if made not in recorder.running.optimizers:
            recorder.running.optimizers.append(made)
        if not recorder.on:
            if recorder.optimizers.fell_away(entry):
                recorder.kinds.again()
            if recorder.running.sites and bad(gradients):
                recorder.templates.explain(recorder.running.sites[-1], recorder.index, frame)
            return
        values = recorder.ledger.values
        cut = clipped(optimizer, [dense(gradient) for gradient in gradients or () if gradient is not None])
        if cut is not None:
            recorder.happened("clip", entry.made or source.trace(frame), (), {"norm": cut[0], "limit": cut[1]})
        self._lessened(optimizer, list(gradients or ()))
        targets = list(variables) if variables is not None else list(getattr(optimizer, "_trainable_variables", ()))
        for gradient, variable in zip(list(gradients or ()), targets, strict=False):
            found = values.variable(getattr(variable, "_value", variable))
            if found is not None:
                with np.errstate(all="ignore"):
                    norm = None if gradient is None else float(np.linalg.norm(wide(dense(gradient))))
                recorder.watch.at_update(found.number, norm)
        self.sums.handed(zip(list(gradients or ()), targets, strict=False))
        trace = source.trace(frame)
        if self._own(trace):
            lists = (
                recorder.running.listed_for[id(gradient)] for gradient in gradients or () if id(gradient) in recorder.running.listed_for
            )
            entry.given = next(lists, recorder.running.listed) or recorder.builder.site(trace)
        self._names(frame)

    def _own(self, trace: source.Trace | None) -> bool:
        """The program's own step, which hands over what it likes; that of Keras has no other line than the one that calls `fit`."""
        driver = self.recorder.running.driver
        return driver is None or place_of(trace) != place_of(driver)

    def _lessened(self, optimizer: Any, gradients: list[Any]) -> None:
        """The program has made its gradients smaller on their way to the optimizer: clipping by hand."""
        recorder = self.recorder
        arrays = [dense(gradient) for gradient in gradients if gradient is not None]
        less = lessened(optimizer, recorder.running.gradients.values(), arrays)
        made = next((call for g in gradients if is_tensor(g) and (call := recorder.call_by_name(recorder.ledger.values.name(g)))), None)
        if less is not None and made is not None and made.trace is not None:
            recorder.happened("clip", made.trace, (), {"norm": less[0], "limit": less[1]})

    @guarded
    def after_update(self, optimizer: Any, frame: FrameType) -> None:
        """An optimizer's update is over."""
        recorder = self.recorder
        recorder.running.updated = True
        if recorder.on:
            entry = recorder.optimizers.meet(optimizer)
            recorder.happened("optimizer_step", source.trace(frame), (recorder.optimizers.name(entry),), {"rate": entry.last})

    def written(self, inputs: tuple[Any, ...], frame: FrameType) -> None:
        """A variable was written to."""
        recorder = self.recorder
        entry = recorder.ledger.values.written(inputs[0])
        if entry is None or recorder.in_update:
            return
        self.departures.assigned(inputs[1:], entry, frame)
        if not recorder.running.backwards:
            return
        if entry.number not in recorder.running.seen:
            self.sums.written(entry.number, entry.reference(), frame)
            return
        owned = recorder.running.seen[entry.number]
        look = recorder.ledger.frames.look(frame)
        if look.quiet or not owned.trainable or not floating(owned.variable) or not look.points:
            return
        recorder.happened("update", look.trace, (owned.name,))
        recorder.running.updated = True

    # --- places -------------------------------------------------------------------------------------------------

    @guarded
    def made_variable(self, variable: Any) -> None:
        """A variable was made."""
        new = self.recorder.ledger.values.made(variable, source.trace(sys._getframe(2)))
        if new and self.recorder.training.rehearsal is not None:
            self.recorder.training.rehearsal.made(variable)

    @guarded
    def made_layer(self, layer: Any) -> None:
        """A layer or a loss was made."""
        self.recorder.layers.made(layer, source.trace(sys._getframe(2)))

    @guarded
    def made_optimizer(self, optimizer: Any) -> None:
        """An optimizer was made."""
        self.recorder.optimizers.made(optimizer, source.trace(sys._getframe(2)))

    @guarded
    def trainable(self, layer: Any, before: object, *, on: bool) -> None:
        """`layer.trainable` was set; before that it was `before`."""
        trace = source.trace(sys._getframe(2))
        if trace is not None and before is not on:
            self.recorder.training.switched(layer, trace, on=on)

    # --- functions with a gradient of their own --------------------------------------------------------------------

    def custom(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A function with a gradient of its own, run eagerly."""
        recorder = self.recorder
        if not recorder.listening or recorder.in_update:
            return original(*args, **kwargs)
        with recorder.aside():
            result = original(*args, **kwargs)
        self.custom_ran(original, args, kwargs, result, sys._getframe(1))
        return result

    @guarded
    def custom_ran(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, frame: FrameType) -> None:
        """Note a call of a function with a gradient of its own."""
        function, given, named = args[0], args[1], args[2] if len(args) > 2 else kwargs  # noqa: PLR2004 - function, arguments, keywords
        look = self.recorder.ledger.frames.look(frame)
        if look.quiet or not look.points:
            return
        flat = [item for item in tf.nest.flatten((given, named)) if is_tensor(item)]
        outputs = [item for item in tf.nest.flatten(result) if is_tensor(item)]
        name = getattr(function, "__name__", "custom")
        code = getattr(function, "__code__", None)
        kind = CUSTOM.get(name) or ("custom" if code is not None and source.is_user(code) else "opaque")
        at = {id(item): number for number, item in enumerate(flat)}

        def again(tensors: list[Any]) -> list[Any]:
            filled, filled_named = tf.nest.map_structure(lambda item: tensors[at[id(item)]] if is_tensor(item) else item, (given, named))
            return [item for item in tf.nest.flatten(original(function, filled, filled_named)) if is_tensor(item)]

        call = self.recorder.ledger.call(name, flat, outputs, look, kind=kind, function=again)
        if kind == "custom":
            call.group = None
            call.settings["backward"] = self._backward(code)

    def _backward(self, code: CodeType | None) -> tuple[str | int, ...]:
        """Where the function inside is defined that gives the gradient: file, line, name and text."""
        inner = [item for item in (code.co_consts if code is not None else ()) if isinstance(item, CodeType) and item.co_argcount]
        named = [item for item in inner if "grad" in item.co_name or "backward" in item.co_name] or inner
        found = named[-1] if named else code
        if found is None:
            return ()
        text = self.recorder.sources.line(found.co_filename, found.co_firstlineno)
        return found.co_filename, found.co_firstlineno, found.co_name, text


def dense(gradient: Any) -> NDArray[Any]:
    """A gradient as one array."""
    tensor = tf.convert_to_tensor(gradient) if not is_tensor(gradient) else gradient
    found = np.asarray(tensor.numpy())
    return found.astype(np.float32) if found.dtype.kind not in "biufc" else found


def _flat(result: Any) -> list[Any]:
    """Gradients in order, sparse ones whole."""
    return list(tf.nest.flatten(result))
