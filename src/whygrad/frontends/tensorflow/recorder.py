"""The recorder: when a step begins and ends, what is recorded of it, and when it is examined."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any
from weakref import WeakSet

from whygrad.frontends import Recording, source
from whygrad.frontends.kinds import Kinds
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.assembly import Assembly
from whygrad.frontends.tensorflow.building import Builder
from whygrad.frontends.tensorflow.calls import Call, Happened
from whygrad.frontends.tensorflow.copies import Copies
from whygrad.frontends.tensorflow.failing import Failing
from whygrad.frontends.tensorflow.functions import Functions
from whygrad.frontends.tensorflow.guard import guarded
from whygrad.frontends.tensorflow.hooks import Hooks
from whygrad.frontends.tensorflow.iterators import Iterators
from whygrad.frontends.tensorflow.layers import Layers
from whygrad.frontends.tensorflow.ledger import Ledger
from whygrad.frontends.tensorflow.lowering import STATEFUL_RANDOM, writes
from whygrad.frontends.tensorflow.optimizers import Optimizers
from whygrad.frontends.tensorflow.patches import Patches
from whygrad.frontends.tensorflow.rare import RareUpdates
from whygrad.frontends.tensorflow.rates import Rates
from whygrad.frontends.tensorflow.reliving import Reliving
from whygrad.frontends.tensorflow.restores import Restores
from whygrad.frontends.tensorflow.running import Running
from whygrad.frontends.tensorflow.settled import Settled
from whygrad.frontends.tensorflow.standing import standing
from whygrad.frontends.tensorflow.switches import empty
from whygrad.frontends.tensorflow.symptoms import Symptoms
from whygrad.frontends.tensorflow.templates import Templates
from whygrad.frontends.tensorflow.training import Training
from whygrad.frontends.tensorflow.watching import ParameterWatch
from whygrad.frontends.turns import Turns
from whygrad.ir import Ending, Framework, Outcome, Record, Step
from whygrad.replay import Observer


class TensorFlowRecorder:
    """Watches one program. Everything that the user's program calls is guarded."""

    def __init__(self, observer: Observer, settings: Recording) -> None:
        self.observer = observer
        self.settings = settings
        self.thread = threading.get_ident()
        self.sources = source.Sources(time.time())
        self.layers = Layers()
        self.ledger = Ledger(self.layers)
        self.optimizers = Optimizers()
        self.watch = ParameterWatch()
        self.builder = Builder(self.ledger.values, self.sources)
        self.kinds = Kinds(settings.steps)
        self.assembly = Assembly(self.ledger, self.layers, self.optimizers, self.watch, self.builder)
        self.running = Running()
        self.symptoms = Symptoms(self.watch, settings.trajectory)
        self.templates = Templates()
        self.copies = Copies(self)
        self.restores = Restores(self)
        self.settled = Settled(self)
        self.iterators = Iterators(self)
        self.rare = RareUpdates(self)
        self.turns = Turns(self.sources, (tf.data.Iterator, tf.data.NumpyIterator))
        self.failing = Failing(self)
        self.reliving = Reliving(self)
        self.hooks = Hooks(self)
        self.training = Training(self)
        self.functions = Functions(self)
        self.patches = Patches(self.hooks, self.training, Rates(self))
        self.steps: list[Step] = []
        self.index = 0
        self.backwards = 0
        self.recorded_backwards = 1
        """Of the last recorded step: updates by hand are not seen between recorded steps, so that these are as long."""
        self.on = False
        self.quiet = 0
        """How many of our own functions are running: nothing is recorded meanwhile."""
        self.called: WeakSet[Any] = WeakSet()
        """What is compiled and has run once, where tracing can't be seen."""
        self.in_update = False
        self.stopped = False
        self.random_ran = False
        """An op with a generator inside has run since this was last reset."""
        self.limits: list[str] = [text] if (text := untested_version()) else []

    # --- on and off ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Put the patches in and begin to record, unless a later step was asked for."""
        try:
            self.patches.install()
            if not self.settings.at_step:
                self.switch_on()
        except Exception:
            self.stop()
            raise

    def switch_on(self) -> None:
        """Record from here on."""
        if not self.on:
            self.on = True
            _compat.put_on(self.listen)

    def switch_off(self) -> None:
        """Stop recording; the patches stay."""
        if self.on:
            self.on = False
            _compat.take_off(self.listen)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While our own code runs, nothing is recorded."""
        self.quiet += 1
        try:
            yield
        finally:
            self.quiet -= 1

    @property
    def listening(self) -> bool:
        """Calls are recorded."""
        return self.on and not self.quiet and threading.get_ident() == self.thread

    def broken(self, where: str, problem: BaseException) -> None:
        """A fault of ours: stop recording, tell, and let the program run on."""
        self.stop()
        self.observer.fault(f"the TensorFlow recorder, in `{where}`", problem)

    def stop(self) -> None:
        """Take every hook out; what was recorded stays."""
        if not self.stopped:
            self.stopped = True
            self.patches.remove()
            self.switch_off()

    # --- ops ----------------------------------------------------------------------------------------------------

    def listen(self, kind: Any, inputs: Any, attributes: Any, outputs: Any, op_name: Any = None, graph: Any = None) -> None:  # noqa: ARG002 - TensorFlow's own signature
        """An op has run; called by TensorFlow."""
        if graph is not None or not self.listening:
            return
        self.op(kind, inputs, attributes, outputs, sys._getframe(1))

    @guarded
    def op(self, kind: Any, inputs: Any, attributes: Any, outputs: Any, frame: FrameType) -> None:
        """One op of the program's."""
        name = kind.decode() if isinstance(kind, bytes) else str(kind)
        if name in STATEFUL_RANDOM:
            self.random_ran = True
        if writes(name):
            self.hooks.written(tuple(inputs), frame)
            return
        if self.in_update:
            return
        if self.running.updated and _compat.tracking():
            self.end_step()
            if not self.on:
                return
        self.ledger.know_read(tuple(inputs), frame)  # before what is unknown is taken for the program's own numbers
        self.hooks.departures.slipped(tuple(inputs), frame)
        self.ledger.op(name, tuple(inputs), tuple(attributes or ()), outputs, frame)

    def happened(
        self, kind: str, trace: source.Trace | None, targets: tuple[str, ...] = (), attributes: dict[str, Any] | None = None
    ) -> None:
        """Note an event; events of one kind and place in a row are one."""
        last = self.ledger.events[-1] if self.ledger.events else None
        same = last is not None and last.kind == kind and kind in ("freeze", "unfreeze", "update")
        if last is not None and same and last.trace is not None and trace is not None and last.trace.user == trace.user:
            last.targets = tuple(dict.fromkeys((*last.targets, *targets)))
        else:
            self.ledger.happened(kind, trace, targets, attributes)

    def late(self, kind: str, trace: source.Trace, targets: tuple[str, ...]) -> None:
        """A change of `trainable` that a step, compiled before, does not see: a step of its own if none is being recorded."""
        if self.on:
            self.ledger.happened(kind, trace, targets, {"late": True})
            return
        self._after_all([Happened(kind, 0, targets, trace, {"late": True})])

    def _after_all(self, happened: list[Happened]) -> None:
        """What happened beside the recorded steps, as a step of its own."""
        if happened and self.steps:
            self.steps.append(Step(self.index, self.steps[-1].kind, events=self.builder.events(happened, (), [])))

    # --- steps ----------------------------------------------------------------------------------------------------

    def end_step(self) -> None:
        """The recorded step under way is over: keep it, drop its calls, decide whether to go on recording."""
        if not self.running.backwards and not self.running.updated and not self.running.failed:
            return
        self._close()
        self.ledger.drop_step()
        self.next()
        if self.kinds.complete and not self.training.driving and not self.functions.busy:
            self.rest()
        self.observer.ended(self.index - 1, self.kinds.complete)

    def rest(self) -> None:
        """Enough is recorded for now."""
        self.switch_off()
        self.ledger.forget()

    def _close(self) -> None:
        """Turn what was recorded into a step."""
        self.recorded_backwards = max(self.running.backwards, 1)
        for number, owned in self.running.seen.items():
            self.watch.moved(number, owned.variable)
        self.copies.settle()
        events, later = self._parted()
        step = self.assembly.build(self.index, self.running, self.ledger.calls, events)
        kind = self.kinds.kind(self.running.optimizers, self.running.sites)
        kept = self.kinds.wants(kind) and not self.running.partial
        if kept:
            self.kinds.recorded(kind)
            self.steps.append(replace(step, kind=kind))
            self.observer.keep(self.steps[-1])
            self.observer.draft(self.draft())
        self.ledger.events = later

    def _parted(self) -> tuple[list[Happened], list[Happened]]:
        """The events of the step, and those that came after its last update and belong to the next."""
        events = self.ledger.events
        ends = [at for at, event in enumerate(events) if event.kind in ("optimizer_step", "update", "exception")]
        last = ends[-1] if ends and (self.running.updated or self.running.failed) else len(events) - 1
        return events[: last + 1], events[last + 1 :]

    def next(self) -> None:
        """The next step begins."""
        self.hooks.sums.end_step()
        self.index += 1
        self.running = Running()
        self.watch.begin_step()
        self.failing.forget()

    def end_unrecorded(self) -> None:
        """A step that was not recorded is over: count it, and see whether its kind is still wanted."""
        kind = self.kinds.kind(self.running.optimizers, self.running.sites)
        if self.settings.at_step is None or self.kinds.asked:
            self.kinds.noticed(kind)
        self.next()
        self.observer.ended(self.index - 1, self.kinds.complete)
        self.arm()

    def arm(self) -> None:
        """Begin to record now, if a step was asked for by number or a kind of step is still missing."""
        wanted = self.settings.at_step
        asked_for = wanted is not None and not self.kinds.asked
        due = self.index >= (wanted or 0) if asked_for else self.kinds.armed
        if due and not self.on and not self.stopped:
            self.kinds.asked, self.kinds.armed = True, False
            self.switch_on()

    # --- the whole record -------------------------------------------------------------------------------------------

    def draft(self) -> Record:
        """All that is known so far."""
        with self.aside():
            return Record(
                frameworks=self.frameworks(),
                outcome=Outcome(steps_seen=self.index, backwards_seen=self.backwards, updates_seen=self.optimizers.updates()),
                steps=tuple(self.templates.with_births(step) for step in self.steps),
                optimizers=self.optimizers.records(self.assembly.names, self.builder),
                batches=(*self.training.batches.records(self.builder), *self.iterators.records(self.builder)),
                courses=self.symptoms.records(self.builder),
                emptied=self.turns.emptied(),
                limits=tuple(dict.fromkeys(self.limits)),
            )

    @staticmethod
    def frameworks() -> tuple[Framework, ...]:
        """TensorFlow, and Keras where the program uses it."""
        keras = _compat.module("keras")
        version = str(getattr(keras, "__version__", ""))
        return (Framework("tensorflow", str(tf.__version__)), *((Framework("keras", version),) if version else ()))

    def finish(self, outcome: Outcome) -> Record:
        """The program has ended: judge the step that it ended in, and return everything."""
        was_on = self.on and not self.stopped
        self.stop()
        with self.aside():
            self._last_step(outcome, was_on=was_on)
            self._after_all(list(empty(self.training.turned)))
            seen = self.index + (not was_on and bool(self.running.backwards))
            changed = ", ".join(sorted(file for file in self.sources.changed if not _compat.generated(file)))
            if changed:
                self.limits.append(f"sources changed after the program started, so that their text is not shown: {changed}")
            unwatched = _compat.unwatched()
            self.limits.extend(unwatched)
            self.symptoms.trajectory.ended(self.watch.living)
            self.steps = self.settled.told(self.restores.told(self.steps))
            record = self.draft()
            record = replace(record, fits=self.training.pairs.fits(record))
            return replace(
                record,
                outcome=replace(outcome.counting(record.outcome), steps_seen=seen, unwatched="; ".join(unwatched)),
                endings=self._endings(),
                standing=standing(self.steps, self.ledger.values),
            )

    def _last_step(self, outcome: Outcome, *, was_on: bool) -> None:
        """The step that the program ended in: with a backward, a failed call, or a loss that was never differentiated."""
        failed = self.failing.settle(outcome) if outcome.exception is not None else None
        unfinished = self.running.backwards or self.running.updated
        if not was_on:
            self._refused_step(outcome)
            return
        tracked = any(call.tracking for call in self.ledger.calls)
        if unfinished or failed is not None or tracked:
            if outcome.exception is not None:
                told = {"type": outcome.exception.type, "message": outcome.exception.message}
                self.ledger.happened("exception", None, (), told)
            self.running.seen = self.running.seen or self.assembly.known_parameters()
            for number, owned in self.running.seen.items():
                self.watch.moved(number, owned.variable)
            self.copies.settle()
            step = self.assembly.build(self.index, self.running, self.ledger.calls, self.ledger.events)
            self.steps.append(replace(step, kind=self.kinds.kind(self.running.optimizers, self.running.sites)))
            self.index += 1

    def _refused_step(self, outcome: Outcome) -> None:
        """The program ended by an exception in a step that was not recorded: what is known of it."""
        problem = outcome.exception
        if problem is None or not self.steps or not (self.running.backwards or self.failing.type == problem.type):
            return
        happened = Happened("exception", 0, (), None, {"type": problem.type, "message": problem.message})
        self.steps.append(Step(self.index, self.steps[-1].kind, events=self.builder.events([happened], (), [])))
        self.index += 1

    def _endings(self) -> dict[str, Ending]:
        self.watch.look()
        return {entry.name: Ending(entry.changed, entry.gradient_seen, entry.finite()) for entry in self.watch.first.values() if entry.name}

    def call_by_name(self, name: str) -> Call | None:
        """The call that made a value of this step."""
        return next((call for call in self.ledger.calls if name in call.outputs), None)


def untested_version() -> str:
    """A sentence for versions that this front end was not tried with."""
    numbers = tuple(int(part) for part in str(tf.__version__).split(".")[:2] if part.isdigit())
    low, high = (tuple(int(part) for part in text.split(".")) for text in _compat.TESTED)
    if low <= numbers < high:
        return ""
    return (
        f"TensorFlow {tf.__version__} was not tried with this version of whygrad (from {_compat.TESTED[0]} to before {_compat.TESTED[1]})"
    )
