"""Everything that ran in the step under way: raw calls in order, events, the user's names."""

from collections.abc import Iterable, Mapping
from types import FrameType
from typing import Any

from whygrad.frontends import folding, source
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.calls import Call, Group, Happened, Layer
from whygrad.frontends.tensorflow.frames import Frames, Look
from whygrad.frontends.tensorflow.layers import Layers
from whygrad.frontends.tensorflow.library import Known, table
from whygrad.frontends.tensorflow.lowering import BATCHES, GATHERS, READS, writes
from whygrad.frontends.tensorflow.scopes import Scopes
from whygrad.frontends.tensorflow.values import NO_NUMBERS, Values
from whygrad.frontends.travel import Travel

PRUNE_AT = 512
"""Calls outside of every tape after which those are dropped from which nothing living was made."""
MOST_PREPARING = 2048
"""Calls outside of every tape that are kept at most."""
UNNAMED = ("self", "_", "cls")


class Ledger:
    """The calls of the step under way."""

    def __init__(self, layers: Layers) -> None:
        self.values = Values()
        self.frames = Frames(table)
        self.layers = layers
        self.travel = Travel()
        self.scopes = Scopes(self.values)
        self.calls: list[Call] = []
        self.events: list[Happened] = []
        self.at = 0
        self._groups: dict[int, tuple[FrameType, Group | None]] = {}
        self._layers: dict[int, tuple[FrameType, Layer | None]] = {}
        self._preparing = 0
        self._group_numbers = 0

    # --- ops ----------------------------------------------------------------------------------------------------

    def op(self, kind: Any, inputs: tuple[Any, ...], attributes: tuple[Any, ...], outputs: Any, frame: FrameType) -> Call | None:
        """One op has run; returns its call, None where it is no part of the step."""
        name = kind.decode() if isinstance(kind, bytes) else str(kind)
        outputs = [] if outputs is None else list(outputs)
        if name in (*READS, *GATHERS):
            self._note_holder(inputs[0], frame)
        if name in READS:
            self.values.read(inputs[0], outputs[0])
            return None
        if writes(name) or not outputs:
            return None
        look = self.frames.look(frame)
        if look.quiet or not look.points:
            return None
        if name in BATCHES:
            names = tuple(self.values.name(tensor) for tensor in outputs)
            self.happened("batch", look.trace, names)
            for value in names:
                self.values.seen[value].role = "input"
            return None
        if all(tensor.dtype.name in NO_NUMBERS for tensor in outputs):
            return None
        return self.call(name, inputs, outputs, look, attributes)

    def know_read(self, inputs: tuple[Any, ...], frame: FrameType) -> None:
        """Variables that an op's own function is given, TensorFlow reads without an op that is told of."""
        if all(tensor.dtype == tf.resource or self.values.known(tensor) is not None for tensor in inputs):
            return
        given = _compat.arguments_of_op(frame)
        for tensor, item in zip(inputs, given, strict=False) if len(given) >= len(inputs) else ():
            handle = getattr(item, "_handle", None)
            if handle is not None and tensor.dtype != tf.resource:
                self._note_holder(handle, frame)
                self.values.read(handle, tensor)

    def _note_holder(self, handle: Any, frame: FrameType) -> None:
        """The layer in whose call a variable is read that no model is known to hold."""
        entry = self.values.variables.get(id(handle))
        if entry is not None and self.layers.unknown(entry.number):
            look = self.frames.look(frame)
            holder = look.layers[-1].f_locals.get("self") if look.layers else None
            if holder is not None:
                self.layers.read(entry, holder)

    def call(
        self, name: str, inputs: Iterable[Any], outputs: Iterable[Any], look: Look, attributes: tuple[Any, ...] = (), **more: Any
    ) -> Call:
        """Note one call."""
        found = tuple(inputs)
        whole = _compat.forward_of_function(name)
        tracking = whole or _compat.tracking()
        watched = tuple(
            tracking and (tensor.dtype.is_floating or tensor.dtype == tf.resource if whole else _compat.watched(tensor)) for tensor in found
        )
        names = tuple(self.values.name(tensor) for tensor in found)
        for value, follows in zip(names, watched, strict=True):
            if follows:
                self.values.seen[value].differentiable = True
        call = Call(
            self.at, name, names, found, tuple(self.values.name(t) for t in outputs), attributes, watched, tracking, look.trace, **more
        )
        self.at += 1
        self._place(call, look)
        self._name(look, found, names)
        self.calls.append(call)
        if tracking:
            for tensor, value in zip(outputs, call.outputs, strict=True):
                self.values.seen[value].held = tensor
        else:
            self._preparing += 1
            if self._preparing > PRUNE_AT:
                self.prune()
        return call

    def _place(self, call: Call, look: Look) -> None:
        call.layer = self.layer(look)
        call.group = self.group(look)
        if call.tracking:
            call.scope = self.scopes.scope(look.user)

    def group(self, look: Look) -> Group | None:
        """The library function that the call is a part of."""
        found = folding.outermost(look.known, self._accept, self._apart)
        return found if isinstance(found, Group) else None

    def _accept(self, pair: tuple[FrameType, Known]) -> Group | None:
        frame, known = pair
        held = self._groups.get(id(frame))
        if held is None or held[0] is not frame:
            described = known.describe(frame.f_locals)
            group = None
            if described is not None:
                self._group_numbers += 1
                group = Group(self._group_numbers, described.kind, described.native, dict(described.attributes), {}, described.apart)
                group.given = dict(described.given)
            held = self._groups[id(frame)] = (frame, group)
        return held[1]

    def _apart(self, group: Any, pair: tuple[FrameType, Known]) -> Group | None:
        return self._accept(pair) if group.apart and pair[1].role == "activation" else None

    def layer(self, look: Look) -> Layer | None:
        """The innermost running layer."""
        if not look.layers:
            return None
        frame = look.layers[-1]
        held = self._layers.get(id(frame))
        if held is None or held[0] is not frame:
            parts = [item.f_locals.get("self") for item in look.layers]
            held = self._layers[id(frame)] = (frame, self.layers.describe(parts))
        return held[1]

    # --- names --------------------------------------------------------------------------------------------------

    def _name(self, look: Look, tensors: tuple[Any, ...], names: tuple[str, ...]) -> None:
        unnamed = [(t, self.values.seen[n]) for t, n in zip(tensors, names, strict=True) if not self.values.seen[n].called]
        if not unnamed or not look.user:
            return
        user = look.user[0]
        self.search(user.f_locals, unnamed)
        if user.f_globals is not user.f_locals:
            self.search(user.f_globals, [pair for pair in unnamed if not pair[1].called])

    def search(self, variables: Mapping[str, Any], unnamed: list[tuple[Any, Any]]) -> None:
        """Give tensors the names of the variables that hold them."""
        for name, held in tuple(variables.items()) if unnamed else ():
            for tensor, seen in unnamed:
                if held is tensor and name not in UNNAMED and not seen.called:
                    seen.called = name

    def name_object(self, item: Any, value: str, frames: Iterable[FrameType]) -> None:
        """Give a value the name of the variable that holds the array it was made from."""
        seen = self.values.seen.get(value)
        for frame in frames if seen is not None and not seen.called else ():
            for name, held in tuple(frame.f_locals.items()):
                if held is item and name not in UNNAMED and seen is not None:
                    seen.called = name
                    return

    # --- events -------------------------------------------------------------------------------------------------

    def happened(
        self, kind: str, trace: source.Trace | None, targets: tuple[str, ...] = (), attributes: dict[str, Any] | None = None
    ) -> None:
        """Note an event."""
        self.events.append(Happened(kind, self.at, targets, trace, attributes or {}))

    # --- keeping it small ---------------------------------------------------------------------------------------

    def prune(self) -> None:
        """Drop calls outside of every tape from which nothing living was made."""
        kept: list[Call] = []
        spare = sum(not call.tracking for call in self.calls) - MOST_PREPARING
        while self.calls:
            call = self.calls.pop()
            if call.tracking or self._lives(call) or self._left(call, kept):
                kept.append(call)
        kept.reverse()
        self.calls = []
        for call in kept:
            if not call.tracking and spare > 0:
                spare -= 1
            else:
                self.calls.append(call)
        del kept
        self._groups.clear()
        self._layers.clear()
        self._preparing = 0

    def _lives(self, call: Call) -> bool:
        return any((seen := self.values.seen.get(name)) is not None and seen.tensor() is not None for name in call.outputs)

    @staticmethod
    def _left(call: Call, kept: list[Call]) -> bool:
        return call.name == "leave" and any(call.outputs[0] in other.inputs for other in kept)

    def drop_step(self) -> None:
        """A step is over: keep what prepared data that still lives."""
        self.values.carry(name for call in self.calls if call.tracking for name in call.outputs)
        self.calls = [call for call in self.calls if not call.tracking and not call.failed]
        self._groups.clear()
        self._layers.clear()
        self.scopes.clear()
        for seen in self.values.seen.values():
            seen.held = None
        self.prune()
        kept = {name for call in self.calls for name in (*call.inputs, *call.outputs)}
        kept.update(name for name, seen in self.values.seen.items() if seen.reference is not None and seen.reference() is not None)
        self.values.forget(kept)
        self.travel.forget()

    def forget(self) -> None:
        """Recording is off: hold nothing."""
        self.calls, self.events = [], []
        self._groups.clear()
        self._layers.clear()
        self.scopes.clear()
        self.values.forget(set())
        self.travel.forget()
