"""Numbers that leave TensorFlow, and tensors that are made of the program's own numbers, spoken of or not. Every method is guarded."""

import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from whygrad.frontends import places, source
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow.frames import Look, called, entering
from whygrad.frontends.tensorflow.guard import guarded
from whygrad.frontends.tensorflow.values import Variable

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder


ASSIGNING = "assign"
"""The method that gives a variable its value."""


def _stopped(tensors: list[Any]) -> list[Any]:
    return [_compat.tf.stop_gradient(tensors[0])]


class Departures:
    """What leaves and comes back."""

    def __init__(self, recorder: "TensorFlowRecorder") -> None:
        self.recorder = recorder

    @guarded
    def left(self, tensor: Any, result: Any, way: str) -> None:
        """A tensor's numbers were taken out, by the method of this name."""
        recorder = self.recorder
        values = recorder.ledger.values
        name = values.known(tensor)
        if not recorder.on or name is None or recorder.in_update or values.seen[name].role in ("input", "gradient"):
            return
        look = recorder.ledger.frames.look(sys._getframe(2))
        if look.quiet or not look.points:
            return
        call = recorder.ledger.call("leave", [tensor], (), look, kind="leave", settings={"native": way})
        call.outputs = (f"p{call.at}",)
        call.tracking = False
        recorder.ledger.travel.left(call.outputs[0], result)

    @guarded
    def converted(self, item: Any, tensor: Any, frame: FrameType) -> None:
        """Numbers of the program's became a tensor."""
        recorder = self.recorder
        if not recorder.on or recorder.in_update or isinstance(item, bool | int | str | bytes):
            return
        if recorder.running.updated and _compat.tracking():
            recorder.end_step()
            if not recorder.on:
                return
        ledger = recorder.ledger
        back = ledger.travel.came_back(item)
        sized = isinstance(item, np.ndarray | list | tuple) and tensor.shape.rank != 0
        unknown = not back and isinstance(item, np.ndarray | np.floating | float) and tensor.dtype.is_floating
        gone = self._gone() if unknown else ()
        silent = unknown and not gone and isinstance(item, np.ndarray | np.floating) and _compat.tracking()
        if not back and not sized and not gone and not silent:
            return
        look = ledger.frames.look(frame)
        if look.quiet or not look.points:
            return
        direct = entering(frame)
        gone = gone or (self._unseen(item, look) if silent else ())
        name = ledger.values.array(item, tensor)
        ledger.values.seen[name].held = tensor
        if back or direct:
            call = ledger.call("enter", (), [tensor], look, kind="enter", settings={"native": called(frame), "implicit": not direct})
            call.inputs, call.tensors, call.watched = back, tuple(None for _ in back), tuple(False for _ in back)
            call.outputs = (name,)
            call.settings |= {"guess": gone[0]} if gone else {}
        elif isinstance(item, np.ndarray | np.floating):
            self._name_array(item, name, look.user)
            if gone and (not ledger.values.seen[name].called or self._made_since(gone[0], name)):
                ledger.values.seen[name].role = ledger.values.seen[name].holder = None
                call = ledger.call(
                    "enter", (), [tensor], look, kind="enter", settings={"native": called(frame), "implicit": True, "guess": gone[0]}
                )
                call.outputs = (name,)

    @guarded
    def slipped(self, inputs: tuple[Any, ...], frame: FrameType) -> None:
        """An op was given the program's own numbers, and TensorFlow made tensors of them by itself."""
        values, least = self.recorder.ledger.values, 0 if not self.recorder.ledger.travel.empty else 1
        for tensor in inputs if _compat.tracking() else ():
            if hasattr(tensor, "_numpy") and tensor.dtype.is_floating and tensor.shape.rank >= least and values.known(tensor) is None:
                self.converted(self._held(tensor._numpy(), frame), tensor, frame)

    def assigned(self, inputs: tuple[Any, ...], entry: Variable, frame: FrameType) -> None:
        """A variable was given a value that a tape follows: who reads the variable reads the same numbers, without their history."""
        ledger = self.recorder.ledger
        known = len(inputs) == 1 and _compat.tracking() and _compat.watched(inputs[0]) and ledger.values.known(inputs[0]) is not None
        look = ledger.frames.look(frame) if known and called(frame) == ASSIGNING else None
        if look is None or look.quiet or not look.points:
            return
        call = ledger.call("StopGradient", inputs, (), look, kind="detach", settings={"native": ASSIGNING}, function=_stopped)
        call.outputs = (ledger.values.of_variable(entry).name,)

    @staticmethod
    def _held(numbers: Any, frame: FrameType) -> Any:
        """The array of the program's that a tensor was made of, where a variable holds it."""
        look = source.user_frame(frame)
        held = [item for item in tuple(look.f_locals.values()) if isinstance(item, np.ndarray)] if look is not None else []
        return next((item for item in held if item.shape == np.shape(numbers) and np.array_equal(item, numbers, equal_nan=True)), numbers)

    def _gone(self) -> tuple[str, ...]:
        """What last left TensorFlow in this step though a gradient could flow to it: a copy of unknown origin may be made from that."""
        left = [call for call in self.recorder.ledger.calls if call.name == "leave" and any(call.watched)]
        return left[-1].outputs if left else ()

    def _made_since(self, gone: str, value: str) -> bool:
        """The program assigned the array below the line at which something left, in the same function."""
        holder = self.recorder.ledger.values.seen[value].holder
        left = next(call.trace for call in self.recorder.ledger.calls if gone in call.outputs)
        if holder is None or left is None or left.user[0][0] is not holder[0]:
            return False
        made, here = places.assigned_at(self.recorder.sources, *holder), self.recorder.builder.site(left)
        return made is not None and here is not None and made.line >= here.line

    def _unseen(self, item: Any, look: Look) -> tuple[str, ...]:
        """What may have left unseen, since NumPy takes an eager tensor's memory by itself.

        A tensor that the program holds where the array comes in, that a gradient could flow to, and that no op has read.
        """
        frames, values, calls = look.user[:2], self.recorder.ledger.values, self.recorder.ledger.calls
        if any(held is item for frame in frames for held in tuple(frame.f_locals.values())):
            return self._written(item, look)
        read = {name for call in calls for name in call.inputs}
        tensors = [item for frame in frames for item in tuple(frame.f_locals.values()) if hasattr(item, "_numpy") and _compat.watched(item)]
        tensor = next((item for item in tensors if (name := values.known(item)) is not None and name not in read), None)
        if tensor is None:
            return ()
        call = self.recorder.ledger.call("leave", [tensor], (), look, kind="leave", settings={"native": "asarray"})
        call.outputs, call.tracking = (f"p{call.at}",), False
        return call.outputs

    def _written(self, item: Any, look: Look) -> tuple[str, ...]:
        """What left unseen by the source: the array's variable was assigned from what held a tensor that no op has read."""
        frame, ledger = look.user[0], self.recorder.ledger
        name = next((name for name, held in tuple(frame.f_locals.items()) if held is item), "")
        lines = places.behind(frame.f_code, name, frame.f_lineno)
        read = {name for call in ledger.calls for name in call.inputs}
        for call in reversed(ledger.calls if lines else ()):
            at = next((point for point in (call.trace.user if call.trace is not None else ()) if point[0] is frame.f_code), None)
            unread = call.tracking and any(call.watched) and len(call.outputs) == 1 and read.isdisjoint(call.outputs)
            here = [number for number, (first, last) in enumerate(lines) if at is not None and first <= source.line_of(at) <= last]
            if unread and here:
                left = ledger.call("leave", (), (), look, kind="leave", settings={"native": "asarray"})
                left.inputs, left.tensors, left.watched = call.outputs, (None,), (True,)
                left.outputs, left.tracking = (f"p{left.at}",), False
                left.trace = source.Trace((source.at_line(frame.f_code, lines[max(here[0] - 1, 0)][0]), *look.points[1:]), ())
                return left.outputs
        return ()

    def _name_array(self, item: Any, value: str, frames: list[FrameType]) -> None:
        seen = self.recorder.ledger.values.seen[value]
        for frame in frames if not seen.called else ():
            for name, held in tuple(frame.f_locals.items()):
                if held is item and name not in ("self", "_"):
                    seen.called, seen.role, seen.holder = name, "input", (frame.f_code, name, frame.f_lineno)
                    return
