"""The program's own compiled functions (`tf.function`): a training step inside one is rehearsed, a part of a step runs eagerly."""

import sys
import threading
from collections.abc import Iterator
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from whygrad.frontends import source
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.belongings import Belongings, of_function
from whygrad.frontends.tensorflow.guard import guarded
from whygrad.frontends.tensorflow.patches import Original
from whygrad.frontends.tensorflow.rehearsal import Rehearsal
from whygrad.frontends.tensorflow.reliving import Again
from whygrad.frontends.tensorflow.running import place_of
from whygrad.frontends.tensorflow.settled import of_function as of_compiled
from whygrad.frontends.tensorflow.symptoms import Place
from whygrad.frontends.tensorflow.tracing import Go, between

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder

EAGER = "a compiled function that is a part of a training step ran eagerly in the recorded steps: results may differ in the last bits"
CONSUMES = "a compiled function that takes its batches from an iterator was not recorded: running it twice would use up a batch"


class Enough(BaseException):
    """A rehearsal has shown all that is wanted; no program may catch it as an error of its own."""


class Functions:
    """Listens to calls of compiled functions."""

    def __init__(self, recorder: "TensorFlowRecorder") -> None:
        self.recorder = recorder
        self.training: WeakSet[Any] = WeakSet()
        """Those that were seen to train."""
        self.other: WeakSet[Any] = WeakSet()
        """Those that were seen not to."""
        self._places: WeakKeyDictionary[Any, Place] = WeakKeyDictionary()
        """Where those with one backward differentiate their loss."""
        self._updates: WeakKeyDictionary[Any, dict[int, int]] = WeakKeyDictionary()
        """How often each updates which optimizers, by their numbers."""
        self._before: dict[int, int] = {}
        self.busy = False
        self._began = 0

    def called(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A compiled function is called."""
        recorder, function = self.recorder, args[0]
        idle = recorder.stopped or recorder.quiet or self.busy or threading.get_ident() != recorder.thread or recorder.training.driving
        if self.busy and _compat.eager():
            with _compat.as_written(function):
                return original(*args, **kwargs)
        if idle or not _compat.eager() or not _own(function):
            return original(*args, **kwargs)
        if function not in self.training and function not in self.other:
            self.begins(function)
        if not recorder.on:
            result = original(*args, **kwargs)
            if function in self.training:
                self.handed(function, args[1:], kwargs)
                recorder.settled.called(function, (function,), partial(of_compiled, function, args[1:]))
                if self.passed(function, result, sys._getframe(1)):
                    self.relive(original, args, kwargs)
            return result
        if _compat.tracking():
            return self.eagerly(original, args, kwargs)
        if function in self.other or self.consumes(args[1:], kwargs):
            return original(*args, **kwargs)
        result = between(
            recorder, function, (function._name,), lambda: original(*args, **kwargs), partial(self.first, function, args[1:], kwargs)
        )
        if function in self.training:
            recorder.settled.called(function, (function,), partial(of_compiled, function, args[1:]))
        return result

    def consumes(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """It takes its batches from an iterator, so that it can't run twice; which is said."""
        found = _consumes(args, kwargs)
        if found:
            self.limit(CONSUMES)
        return found

    def first(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], go: Go | None) -> Any:
        """Rehearse a step before it runs, or after it was refused."""
        self.rehearse(function, args, kwargs)
        return go() if go is not None else None

    @guarded
    def handed(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """What a training step is given, for the first few batches."""
        pairs, place = self.recorder.training.pairs, (function._name, id(function))
        if pairs.wants(place) and not _consumes(args, kwargs):
            with self.recorder.aside():
                pairs.handed(place, tf.nest.flatten((args, kwargs)), self.recorder.ledger.values.of_object)

    @guarded
    def begins(self, function: Any) -> None:
        """One that was not called before may be a training of its own."""
        if not self.recorder.on and self.recorder.steps:
            self.recorder.kinds.begins(id(function))
            self.recorder.arm()

    def eagerly(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A part of a step that a tape follows: run as Python, so that its ops can be seen."""
        self.limit(EAGER)
        return between(
            self.recorder, args[0], (args[0]._name,), lambda: original(*args, **kwargs), partial(self.in_place, original, args, kwargs)
        )

    def in_place(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any], go: Go | None) -> Any:
        """Run it as Python instead of what was compiled, or after that was refused; what it keeps in Python is as after compiling."""
        belongings = self.belongings(args, kwargs)
        try:
            with _compat.functions_eager(), _compat.as_written(args[0]):
                return original(*args, **kwargs)
        except Exception as problem:
            if go is None:
                self.refused(problem)
            raise
        finally:
            if belongings is not None:
                belongings.put_back()

    @guarded
    def belongings(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Belongings:
        """What may be changed by running a function with these arguments."""
        return Belongings((_compat.global_names(), *_reached(args[0], args[1:], kwargs)))

    @guarded
    def refused(self, problem: Exception) -> None:
        """Tracing raised before, and so does the function itself."""
        failing = self.recorder.failing
        failing.raised(problem.__traceback__, sys._getframe(2), problem)
        failing.take()
        failing.told = type(problem).__name__

    @guarded
    def limit(self, text: str) -> None:
        """Say what could not be left as it was."""
        if text not in self.recorder.limits:
            self.recorder.limits.append(text)

    @guarded
    def passed(self, function: Any, result: Any, frame: FrameType) -> bool:
        """A training step in a compiled function, between recorded steps; True for the first whose loss is not finite."""
        recorder = self.recorder
        recorder.turns.look(frame)
        recorder.backwards += 1
        trace = source.trace(frame)
        numbers = [item for item in tf.nest.flatten(result) if hasattr(item, "_numpy") and item.dtype.is_floating and item.shape.rank == 0]
        bad = len(numbers) == 1 and recorder.symptoms.loss(
            numbers[0], self._places.get(function, place_of(trace)), recorder.index, trace, after=True
        )
        known = self._updates.get(function)
        for entry in recorder.optimizers.all():
            if entry.steps and entry.reference() is not None:
                recorder.optimizers.unseen(entry, 1 if known is None else known.get(entry.number, 0))
                if recorder.optimizers.fell_away(entry):
                    recorder.kinds.again()
                    recorder.arm()
        recorder.index += 1
        if not bad:
            recorder.reliving.note()
        for optimizer in recorder.optimizers.living():
            recorder.rare.passed(id(function), optimizer)
        recorder.observer.ended(recorder.index - 1, recorder.kinds.complete)
        return bad

    def relive(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Find out why a call gave what is not finite, by calls with the same arguments."""
        if not _consumes(args, kwargs):
            index = self.recorder.index - 1
            again = Again(lambda: original(*args, **kwargs), lambda: self.rehearse(args[0], args[1:], kwargs))
            self.recorder.reliving.again(index, again)

    def rehearse(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Run it once as Python, with everything put back."""
        recorder = self.recorder
        recorder.reliving.note()
        before = recorder.index, len(recorder.ledger.calls), len(recorder.ledger.events)
        self._before = {entry.number: entry.steps for entry in recorder.optimizers.all()}
        self.busy, self._began, recorder.training.rehearsal = True, recorder.index, Rehearsal(recorder, _reached(function, args, kwargs))
        try:
            with recorder.training.rehearsal.running():
                self.run(function, args, kwargs)
                self.finished(function, before)
        except Exception as problem:  # noqa: BLE001 - a fault of ours must not end the program
            recorder.broken("rehearse", problem)
        finally:
            self.busy, recorder.training.rehearsal = False, None
        if function in self.training:
            self.handed(function, args, kwargs)

    def run(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """The program's function; what it raises, the real call will raise again."""
        try:
            with _compat.as_written(function):
                function.python_function(*args, **kwargs)
        except Enough:
            return
        except Exception as problem:  # noqa: BLE001 - told by the real call
            self.recorder.training.failed(problem)

    def enough(self) -> bool:
        """Whether a rehearsal of a function has nothing more to show."""
        return self.busy and self.recorder.index > self._began and (not self.recorder.on or self.recorder.kinds.complete)

    @guarded
    def finished(self, function: Any, before: tuple[int, int, int]) -> None:
        """The rehearsal is over; it was a step if something was differentiated or updated."""
        recorder = self.recorder
        running = recorder.running
        if recorder.index > before[0] or running.backwards or running.updated or running.failed:
            self.training.add(function)
            made = {entry.number: entry.steps - self._before.get(entry.number, 0) for entry in recorder.optimizers.all()}
            if any(made.values()):
                self._updates[function] = made
            if len(running.sites) == 1:
                self._places[function] = running.sites[0]
            recorder.end_step()
            if recorder.kinds.complete:
                recorder.rest()
            return
        self.other.add(function)
        del recorder.ledger.calls[before[1] :]
        del recorder.ledger.events[before[2] :]
        if recorder.steps and recorder.kinds.complete:
            recorder.rest()


def _consumes(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """It takes its batches from an iterator."""
    return any(isinstance(item, tf.data.Iterator) for item in tf.nest.flatten((args, kwargs)))


def _reached(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Any]:
    """What a function can change in Python."""
    yield from of_function(function.python_function)
    yield from tf.nest.flatten((args, kwargs))


def _own(function: Any) -> bool:
    """The program wrote it."""
    code = _compat.code_of(getattr(function, "python_function", None))
    return code is not None and source.is_user(code)
