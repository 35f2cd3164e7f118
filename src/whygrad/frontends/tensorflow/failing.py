"""Calls that raised: which library function or layer it was, and what it had been given."""

import re
import sys
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.source import Trace
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.calls import Call, Group, Layer
from whygrad.frontends.tensorflow.frames import Look, of_traceback
from whygrad.frontends.tensorflow.guard import guarded
from whygrad.frontends.tensorflow.layers import builtin, is_model, parts_of
from whygrad.frontends.tensorflow.library import LAYERS, layer_attributes
from whygrad.frontends.tensorflow.lowering import kind_of
from whygrad.frontends.tensorflow.scopes import is_tensor
from whygrad.ir import Outcome

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder

NAMED = re.compile(r"Input (?P<number>\d+) (?:with name '(?P<input>[^']+)' )?of layer '(?P<layer>[^']+)' is incompatible")
"""How Keras says which layer refuses which of its inputs."""
NAMES = re.compile(r"in loss dict, but found|y_true and y_pred have different structures|in the `loss` argument, can't be found")
"""What Keras says where the losses, the labels and the model's outputs are named or arranged differently."""
OP_NAME = re.compile(r"\[Op:(\w+)\]|__wrapped__(?:_)?([A-Za-z0-9]+)_device")
CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose", "Conv1DTranspose", "SeparableConv1D")


FEW = 8
"""Entries of a list from which it holds examples rather than a model's inputs, if there are as many labels."""


class Failing:
    """The last exception that passed through the library, as a call of the step."""

    def __init__(self, recorder: "TensorFlowRecorder") -> None:
        self.recorder = recorder
        self._problem: int | None = None
        self.type = ""
        self.message = ""
        self.call: Call | None = None
        self._before: list[Call] = []
        """The layers in front of it, where the model is under construction and nothing has run."""
        self.waits = False
        """A function is being traced: what is refused there has no numbers yet, and is looked at again with them."""
        self.told = ""
        """Type of the exception that a rehearsal has shown already; the real step raises it once more."""

    def forget(self) -> None:
        """A new step begins."""
        self._problem, self.call = None, None
        self._before = []

    @guarded
    def raised(self, traceback: TracebackType | None, frame: FrameType, problem: BaseException | None = None) -> None:
        """An exception passes through one of the library's handlers, the innermost first."""
        problem = sys.exc_info()[1] if problem is None else problem
        if problem is None or not self.recorder.on or self.waits or self._problem == id(problem):
            return
        levels = of_traceback(traceback)
        own = bool(levels) and levels[0][0] is frame
        look = self.recorder.ledger.frames.look(frame.f_back if own else frame, levels)
        if look.quiet or not look.points:
            return
        self._problem, self.type = id(problem), type(problem).__name__
        self.message = str(problem)
        self._before = []
        self.call = self._call(look, levels, self.message)

    def _call(self, look: Look, levels: list[tuple[FrameType, int]], message: str) -> Call | None:
        ledger = self.recorder.ledger
        group = ledger.group(look)
        if group is not None and "target" in group.given:
            given = [item for item in (group.given.get("input"), group.given.get("target")) if item is not None]
            return self._made(look, self._tensors(given), group=group)
        layer = self._layer(look)
        if layer is not None:
            return self._of_layer(look, layer)
        model = self._refusing(look, message) if "incompatible with the layer" in message else None
        if model is not None:
            return model
        if NAMES.search(message):
            return self._arranged(look)
        name, given = self._op(levels, message)
        if name:
            return self._of_op(look, name, given)
        return self._made(look, self._tensors(given), group=group) if group is not None else None

    def _of_op(self, look: Look, name: str, given: list[Any]) -> Call:
        """A raw op, with the arrays of NumPy's that it was given as they are called."""
        for item in given:
            array = self._array(item) if isinstance(item, np.ndarray) else None
            if array is not None:
                self._held_by(item, array, look.trace, _rows(item))
        return self._made(look, self._tensors(given), name=name, kind=kind_of(name, ()))

    def _arranged(self, look: Look) -> Call:
        """Labels that do not go with the outputs: the line that tells the losses."""
        call = self._made(look, [], name="keras.Model.compile", kind="opaque")
        call.trace = self.recorder.training.compiled_last() or call.trace
        return call

    def _tensors(self, given: Iterable[Any]) -> list[str]:
        values = self.recorder.ledger.values
        found = []
        for item in given:
            name = values.name(item) if is_tensor(item) else values.of_object(item) or self._symbol(item)
            if name is None and hasattr(item, "shape") and hasattr(item, "dtype"):
                name = self._array(item)
            if name is not None:
                found.append(name)
        return found

    def _array(self, item: Any) -> str | None:
        """An array that never became a tensor."""
        try:
            tensor = tf.constant(item)
        except (TypeError, ValueError, NotImplementedError):  # the last for a symbol of a compiled function
            return None
        name = self.recorder.ledger.values.array(item, tensor)
        self.recorder.ledger.values.seen[name].held = tensor
        return name

    @staticmethod
    def _layer(look: Look) -> Any:
        """The innermost layer of Keras' own whose call raised; of a recurrent layer's cell, that layer."""
        for frame in reversed(look.layers):
            layer = frame.f_locals.get("self")
            if type(layer).__name__ in (*LAYERS, *CONVOLUTIONS):
                return frame
            if not builtin(layer) or not hasattr(layer, "state_size"):  # a cell is a part of the recurrent layer that runs it
                return None
        return None

    def _symbol(self, item: Any) -> str | None:
        """What stands for the result of a layer in a model under construction, behind that layer."""
        layer = _compat.giver(item)
        if layer is None or type(layer).__name__ == "InputLayer":
            return None
        value, made, native = self.recorder.ledger.values.told("", None), self.recorder.layers.place(layer), type(layer).__name__
        held = Layer(str(layer.name), made, builtin=builtin(layer))
        self._before.append(Call(0, f"keras.layers.{native}", (), (), (value,), trace=made, layer=held, kind=_kind(native)))
        return value

    def _refusing(self, look: Look, message: str) -> Call | None:
        """A layer that refused what it was given before it computed anything; of a model, the layer that declares its input."""
        frame = look.layers[-1] if look.layers else None
        held = frame.f_locals if frame is not None else {}
        model, named = held.get("self"), NAMED.search(message)
        given = tf.nest.flatten(held.get("original_args") or ())
        parts = tuple(parts_of(model)) if model is not None else ()
        part = next((part for part in parts if named is not None and part is not model and part.name == named["layer"]), None)
        if part is not None and not is_model(part):
            return self._declared(look, part, self._tensors(given), f"keras.layers.{type(part).__name__}", _kind(type(part).__name__))
        inputs = [part for part in parts if type(part).__name__ == "InputLayer"]
        at = int(named["number"]) if named is not None else 0
        inputs = [part for part in inputs if named is not None and part.name == named["input"]] or inputs
        return self._declared(
            look, inputs[0] if inputs else None, self._tensors(given[at : at + 1] or given), "keras.layers.InputLayer", "opaque"
        )

    def _declared(self, look: Look, part: Any, names: list[str], native: str, kind: str) -> Call:
        """The call of a layer, with the place that made it."""
        call = self._made(look, names, name=native, kind=kind)
        call.layer = Layer(str(getattr(part, "name", "")), self.recorder.layers.place(part) if part is not None else None, builtin=True)
        return call

    def _of_layer(self, look: Look, frame: FrameType) -> Call:
        layer = frame.f_locals.get("self")
        held = frame.f_locals
        given = held.get("original_args") or held.get("args") or ()
        name = type(layer).__name__
        kind = _kind(name)
        names = self._tensors(given)
        for weight in getattr(layer, "trainable_variables" if kind == "rnn" else "_trainable_variables", ()):
            found = self.recorder.ledger.values.of_object(weight)
            names += [found] if found is not None else []
        settings = layer_attributes(kind, layer)
        return self._made(look, names, name=f"keras.layers.{name}", kind=kind, settings=settings)

    @staticmethod
    def _op(levels: list[tuple[FrameType, int]], message: str) -> tuple[str, list[Any]]:
        """The raw op that refused its inputs, and these."""
        match = OP_NAME.search(message)
        name = (match[1] or match[2] or "") if match is not None else ""
        for frame, _ in reversed(levels):
            if frame.f_code.co_filename.rsplit("/", 1)[-1].startswith("gen_") and not frame.f_code.co_name.endswith("_fallback"):
                arguments = frame.f_code.co_varnames[: frame.f_code.co_argcount]
                held = frame.f_locals
                given = [item for key in arguments if (item := held.get(key)) is not None]
                flat = [part for item in given for part in (item if isinstance(item, list | tuple) else [item])]
                return name or frame.f_code.co_name, [part for part in flat if is_tensor(part) or isinstance(part, np.ndarray)]
        return "", []

    def _made(
        self, look: Look, names: list[str], *, group: Group | None = None, name: str = "", kind: str = "", settings: Any = None
    ) -> Call:
        ledger = self.recorder.ledger
        call = Call(
            ledger.at, name or (group.native if group is not None else "raised"), tuple(names), tuple(None for _ in names), (),
            trace=look.trace, layer=ledger.layer(look), failed=True, kind=kind, settings=dict(settings or {}), group=group,
        )  # fmt: skip
        call.tracking = True
        call.watched = tuple(ledger.values.seen[item].differentiable for item in names)
        call.scope = ledger.scopes.scope(look.user)
        ledger._name(look, tuple(ledger.values.seen[item].tensor() for item in names), tuple(names))
        return call

    def given(self, items: list[Any], names: tuple[str, ...], trace: Trace | None, problem: BaseException) -> None:
        """`fit` refused what it was given, before any step."""
        found: list[str] = []
        rows = _rows(items[0]) if items else 0
        singles = _examples(items[0], items[1] if len(items) > 1 else None) if items else False
        for at, (item, name) in enumerate(zip(items, names, strict=False)):
            apart = singles and at == 0
            for value in (() if apart else self._tensors([item])) or self._numberless(item, singles=apart):
                seen = self.recorder.ledger.values.seen[value]
                seen.called, seen.role = seen.called or name, "input"
                self._held_by(item, value, trace, rows)
                found.append(value)
                if at == 1:
                    self.recorder.running.labels = (value,)
        self.type, self.message = type(problem).__name__, str(problem)
        look = Look(points=trace.user if trace is not None else ())
        self.call = self._made(look, found, name="keras.Model.fit", kind="opaque")
        yields = source.suspended(items[0]) if items else None
        if yields is not None:
            self.call.layer = Layer("", yields, builtin=True)

    def _numberless(self, item: Any, *, singles: bool = False) -> list[str]:
        """Lists of numbers, and arrays of whatever has no number for each entry."""
        values = self.recorder.ledger.values
        if isinstance(item, list | tuple) and item and (singles or not any(hasattr(part, "shape") for part in item)):
            return [values.told("list", (len(item),))]
        if hasattr(item, "shape") and isinstance(item.shape, tuple):
            return [values.told("object", tuple(int(size) for size in item.shape))]
        return []

    def _held_by(self, item: Any, value: str, trace: Trace | None, rows: int) -> None:
        """The variable of the program's that holds an array, so that the line can be found that made it.

        Where another variable holds such an array with as many rows as are due, that one was meant: then `fit` is the line.
        """
        frame = source.user_frame(sys._getframe(1))
        seen = self.recorder.ledger.values.seen[value]
        read = source.read_at(trace.user[0]) if trace is not None and trace.user else frozenset[str]()
        held_by = [name for name, held in tuple(frame.f_locals.items()) if held is item] if frame is not None and trace is not None else []
        for name in sorted(held_by, key=read.__contains__)[-1:]:  # of two names of one array the one that stands there
            seen.called = name
            meant = _rows(item) != rows and any(_like(other, item, rows) for other in frame.f_locals.values())  # type: ignore[union-attr]  # there is one, or nothing to go through
            seen.holder = None if meant else (frame.f_code, name, frame.f_lineno)  # type: ignore[union-attr]  # the same

    def settle(self, outcome: Outcome) -> Call | None:
        """The program ends by an exception: if that is the one that passed, its call is part of the last step."""
        problem = outcome.exception
        if self.call is None or problem is None or self.type != problem.type or self.told == problem.type:
            return None
        return self.take()

    def take(self) -> Call | None:
        """The failed call becomes part of the step."""
        call, self.call = self.call, None
        if call is not None:
            ledger = self.recorder.ledger
            for before in self._before:
                before.at = ledger.at
                ledger.at += 1
            ledger.calls += self._before
            call.at = ledger.at
            ledger.at += 1
            partial = [item for item in ledger.calls if item.group is not None and item.group is call.group]
            ledger.calls = [item for item in ledger.calls if item not in partial] if call.group is not None else ledger.calls
            ledger.calls.append(call)
        return call


def _kind(layer: str) -> str:
    """The neutral kind of a layer, by the name of its class."""
    return LAYERS.get(layer, "conv" if layer in CONVOLUTIONS else "opaque")


def _rows(item: Any) -> int:
    """Rows of an array; 0 for what has none."""
    shape = getattr(item, "shape", None)
    sizes = tuple(shape) if isinstance(shape, tuple | tf.TensorShape) else ()
    return int(sizes[0]) if sizes and sizes[0] is not None else 0


def _like(other: Any, item: Any, rows: int) -> bool:
    """It could stand for `item` in all but the number of rows, and has that right."""
    if type(other) is not type(item) or not rows or _rows(other) != rows:
        return False
    return tuple(other.shape[1:]) == tuple(item.shape[1:]) and str(getattr(other, "dtype", "")) == str(getattr(item, "dtype", ""))


def _examples(inputs: Any, labels: Any) -> bool:
    """A list of single examples, one for each label. Keras takes a list for one array for each input of the model."""
    if not isinstance(inputs, list | tuple) or len(inputs) < FEW or labels is None:
        return False
    shapes = {tuple(part.shape) for part in inputs if hasattr(part, "shape")}
    each = len(shapes) == 1 and all(hasattr(part, "shape") for part in inputs)
    return each and len(inputs) == (len(labels) if isinstance(labels, list | tuple) else _rows(labels)) and shapes != {(len(inputs),)}
