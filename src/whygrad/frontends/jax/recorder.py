"""The recorder: when a step begins and ends, what is recorded of it, and when it is examined."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

import jax

from whygrad.frontends import Recording, source
from whygrad.frontends.jax import _compat, programs
from whygrad.frontends.jax.assembly import Assembly, Part
from whygrad.frontends.jax.beginnings import Beginnings
from whygrad.frontends.jax.building import Builder
from whygrad.frontends.jax.derivations import Asked, Derivation, arguments_of, asking, entered, leaves, left, plain_numbers
from whygrad.frontends.jax.eager_loops import EagerLoops
from whygrad.frontends.jax.evaluation import deleted
from whygrad.frontends.jax.failures import about, raised
from whygrad.frontends.jax.jits import LOST, Jits, asked_for
from whygrad.frontends.jax.keras import Keras
from whygrad.frontends.jax.late import Lateness
from whygrad.frontends.jax.listening import Listener
from whygrad.frontends.jax.mapping import by_rows, gradients_of
from whygrad.frontends.jax.modes import Modes
from whygrad.frontends.jax.naming import variables_for
from whygrad.frontends.jax.opening import held, replay_of
from whygrad.frontends.jax.optimizers import Optimizers
from whygrad.frontends.jax.outcomes import Open, Outcomes, apart, belonging, place, sites
from whygrad.frontends.jax.patches import Patches, outside
from whygrad.frontends.jax.plans import Plan
from whygrad.frontends.jax.scopes import Activations
from whygrad.frontends.jax.states import States
from whygrad.frontends.jax.strangers import strangers
from whygrad.frontends.jax.sums import Sums
from whygrad.frontends.jax.surroundings import Surroundings
from whygrad.frontends.jax.symptoms import Symptoms
from whygrad.frontends.jax.tape import Numbers, Tape
from whygrad.frontends.jax.transformations import Made, Moment
from whygrad.frontends.kinds import Kinds
from whygrad.frontends.turns import Turns
from whygrad.ir import Event, Framework, Outcome, Record, Step
from whygrad.replay import Observer


class JaxRecorder(Listener):
    """Watches one program. Everything that the user's program calls is guarded."""

    def __init__(self, observer: Observer, settings: Recording) -> None:
        self.observer = observer
        self.settings = settings
        self.thread = threading.get_ident()
        self.sources = source.Sources(time.time())
        self.builder = Builder(self.sources)
        self.turns = Turns(self.sources)
        self.assembly = Assembly(self.builder)
        self.kinds = Kinds(settings.steps)
        self.optimizers = Optimizers(self)
        self.jits = Jits(self)
        self.loops = EagerLoops(self)
        self.keras = Keras(self)
        self.place = self.keras.place
        self.patches = Patches(self)
        self.steps: list[Step] = []
        self.open: Open | None = None
        self.index = 0
        self.backwards = 0
        self.unseen = 0  # derivatives that were asked for where they can't be looked at
        self.quiet = 0
        self.taping, self.stopped, self.around = 0, False, None
        super().__init__()
        self.symptoms = Symptoms(settings.trajectory)
        self.late = Lateness(self)
        self.surroundings = Surroundings(self)
        self.states = States()
        self.sums = Sums(self.surroundings.known_maker)
        self.modes = Modes()
        self.outcomes = Outcomes(self.assembly, self.optimizers, self.surroundings, self.symptoms, self.sums)
        self.busy = 0
        """JAX itself is at work on something that is looked at already."""
        self.beginnings = Beginnings()
        self.limits = [text] if (text := _compat.untested_version()) else list[str]()
        self.done = self.moved = False
        """Moved: a recorded step has updated its parameters; until one does, more are recorded, since several may make one update."""

    # --- on and off ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Put the patches in."""
        try:
            self.patches.install()
        except Exception:
            self.stop()
            raise

    def stop(self) -> None:
        """Take every hook out; what was recorded stays."""
        if not self.stopped:
            self.stopped = True
            self.patches.remove()

    def broken(self, where: str, problem: BaseException) -> None:
        """A fault of ours: stop recording, tell, and let the program run on."""
        self.stop()
        self.observer.fault(f"the JAX recorder, in `{where}`", problem)

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
        """The program's own calls are to be looked at."""
        return not self.stopped and not self.quiet and threading.get_ident() == self.thread

    @property
    def on(self) -> bool:
        """Steps are recorded now."""
        return not self.done and (self.settings.at_step is None or self.index >= self.settings.at_step)

    def guarded(self, where: str, method: Callable[..., Any], *args: Any) -> Any:
        """Run something of ours; a fault in it ends the recording, never the program."""
        with self.aside():
            try:
                return method(*args)
            except Exception as problem:  # noqa: BLE001 - the program must not notice
                self.broken(where, problem)
                return None

    # --- derivatives ----------------------------------------------------------------------------------------------

    def derive(self, run: Callable[[Callable[..., Any]], Any], asked: Asked, frame: FrameType | None) -> Any:
        """Let JAX differentiate, with the tape under the function; returns what JAX returns."""
        derivation = Derivation(source.trace(frame), Numbers(), kind=asked.kind, around=self.around)
        outer, self.activations = self.activations, Activations()
        self.guarded("arguments", self._arguments, derivation, asked, frame)
        self.busy += 1
        try:
            result = run(self._taped(asked, derivation))
        except Exception as problem:
            derivation.failed = problem
            self.guarded("failure", raised, problem, derivation)
            self.guarded("derive", self._derived, derivation, asked, None)
            raise
        else:
            self.guarded("derive", self._derived, derivation, asked, result)
            return result
        finally:
            self.busy -= 1
            self.activations = outer

    def _arguments(self, derivation: Derivation, asked: Asked, frame: FrameType | None) -> None:
        asked.names = variables_for(frame, asked.args, asked.argnums)
        derivation.arguments = arguments_of(asked, derivation.numbers)
        self.keras.named(derivation, asked)
        derivation.plain, derivation.put_at = ((), None) if derivation.parameters else plain_numbers(asked)

    def _taped(self, asked: Asked, derivation: Derivation) -> Callable[..., Any]:
        """The user's function, with a tape under it."""

        def taped(*args: Any, **kwargs: Any) -> Any:
            tape = Tape(_compat.current_trace(), derivation.numbers, self)
            self.guarded("enter", entered, derivation, asked, args, kwargs)
            derivation.bounds = tape.bounds
            with _compat.under(tape), tape.within(sys._getframe()), asking(self, derivation):
                result = asked.function(*args, **kwargs)
            self.guarded("leave", left, derivation, asked, result)
            return result

        return taped

    def _derived(self, derivation: Derivation, asked: Asked, result: Any) -> None:
        """The derivative is there, or has raised."""
        if derivation.failed is None:
            found = asked.gradients(result)
            names = [argument.path for argument in derivation.parameters]
            derivation.gradients = dict(zip(names, leaves(found), strict=False)) if found is not None else {}
        if self.jits.capturing:
            self.jits.capturing[-1].append(derivation, self.activations)
            return
        with _compat.at_once():
            part = self._eager(derivation)
            if part is not None:
                loss = part.arrays.get(derivation.loss) if derivation.loss is not None else None
                self.symptoms.loss(derivation.trace, loss, self.index + (self.open is not None), self.optimizers.last_rate)
                self.opened([part], None)

    def _eager(self, derivation: Derivation) -> Part | None:
        if derivation.failed is None and not programs.reachable(derivation):
            self.limits.append(LOST)
            return None
        if derivation.failed is None and by_rows(derivation):
            self.unseen += 1
            return None
        program, arrays = programs.eager(derivation)
        self.limits += program.limits
        return Part(program, arrays, self.activations, gradients_of(derivation))

    # --- steps ----------------------------------------------------------------------------------------------------

    def opened(self, parts: list[Part], plan: Plan | None) -> None:
        """A recorded step has its derivative: build it, and examine it while everything is there."""
        if self.open is not None:
            self.close(parts)
        for part in parts:
            # what the function never reads may have been read before, outside of it
            wanted = (*part.program.external(), *part.program.moving)
            given = {number: part.arrays[number] for number in wanted if number in part.arrays}
            part.before = self.surroundings.before(given, part.program.moving, set(part.program.moving).difference(part.program.external()))
            for argument in part.program.derivation.parameters:
                if argument.path not in self.assembly.makers:
                    self.assembly.makers[argument.path] = self.surroundings.maker(
                        part.arrays.get(argument.number, part.given.get(argument.number))
                    )
        if self.done:
            if plan is None:
                self.optimizers.again()
                self.backwards += len(parts)
                self.next_step()
            return
        built = self.assembly.build(self.index, parts, self.modes.events(self.builder))
        for part in parts:
            self.sums.derived(part.gradients)
        self.states.opened([part.arrays[number] for part in parts for number in part.program.moving if number in part.arrays])
        self.symptoms.met(built.snapshots)
        built.step = self.optimizers.holding(built.step, held(self.optimizers, parts, plan))
        self.open = Open(built, mark=self.surroundings.count, results={n: item for part in parts for n, item in part.turned.items()})
        built.step = self.outcomes.untied(self.open)
        if parts[-1].program.derivation.failed is None and parts[-1].arrays:
            self.open.replay = replay_of(self.optimizers, built, plan)
            built.step = self.observer.examine(built.step, self.open.replay)
            self.jits.feeds.pairs.met(built)
        self.backwards += len(parts)

    def close(self, following: Sequence[Part] | None) -> None:
        """The step under way is over, now that it is known what became of its parameters."""
        opened, self.open = self.open, None
        if opened is None:
            return
        if following is None and self.steps and self.kinds.complete:
            self.next_step()  # the last of all, while an update was waited for: nothing is known of it but what was computed
            return
        self.late.recorded(opened)
        after = dict(opened.results)
        for part in following or ():
            if place(part) in [place(own) for own in opened.built.parts]:  # or another derivative, of other parameters perhaps
                after.update(
                    opened.seen_next({a.path: part.arrays[a.number] for a in part.program.derivation.parameters if a.number in part.arrays})
                )
        known = self.optimizers.own
        step = self.outcomes.finished(opened, after)
        if known is None and self.optimizers.own is not None:
            step = self._again(opened, step)
        kind = self.kinds.kind(frozenset(self.optimizers.stepped(step)), frozenset(sites(step)))
        if self.kinds.wants(kind):
            self.kinds.recorded(kind)
            self.steps.append(replace(step, kind=kind))
            self.observer.keep(self.steps[-1])
        self.moved = self.moved or step.updated
        self.done = self.kinds.complete and (self.moved or self.kinds.waited)
        if self.done:
            self.surroundings.forget()
            _compat.shortcuts_again()
        self.next_step()
        self.observer.draft(self.draft())

    def _again(self, opened: Open, step: Step) -> Step:
        """The step examined once more, now that it is known how the program updates its parameters itself."""
        rule, replay = self.optimizers.rule(), opened.replay
        return (
            step
            if replay is None or rule is None or any(deleted(replay.arrays[n]) for n in replay.engine.moving)
            else self.observer.examine(step, replace(replay, rule=rule))
        )

    def computed(self, primitive: Any, args: Any, params: Any, result: Any) -> None:
        """A primitive was computed at once."""
        if self.listening and self.on and not (self.taping or self.busy or self.optimizers.depth):
            self.guarded("computed", self.surroundings.note, primitive, args, params, result, outside())

    def next_step(self) -> None:
        """Count a step."""
        self.index += 1
        self.observer.ended(self.index - 1, self.done)

    # --- told by the hooks ----------------------------------------------------------------------------------------

    def watches(self) -> bool:
        """A derivative that is asked for now is looked at: in a recorded step, and wherever a function is being traced."""
        if not self.listening or self.taping or self.quiet or getattr(jax.config, "jax_check_tracer_leaks", False):
            return False
        return bool(self.jits.capturing) or (self.on and self._computes())

    @staticmethod
    def _computes() -> bool:
        """What is asked for now is computed at once: for one set of data, or for all rows of a `vmap`."""
        return _compat.at_top() or _compat.under_vmap()

    def unwatched(self, plain: Any, asked: Asked) -> Any:
        """A derivative in a step that is not recorded: counted, and its loss noted."""
        result = plain(*asked.args, **asked.kwargs)
        if self.listening and not self.taping and not self.jits.capturing and self.on and not self._computes():
            self.unseen += 1
            self.limits.append("a derivative within a transformation of the whole step was not looked at")
        if self.listening and not self.taping and not self.on and self._computes():
            loss = result[0] if asked.kind == "value_and_grad" and _compat.at_top() else None
            self.guarded("unwatched", self._passed_eager, asked, loss[0] if asked.has_aux and isinstance(loss, tuple) else loss)
        return result

    def _passed_eager(self, asked: Asked, loss: Any) -> None:
        self.backwards += 1
        asked.names = variables_for(outside(), asked.args, asked.argnums) if self.symptoms.asked is None else self.symptoms.asked.names
        self.symptoms.was_asked(asked, self.index)
        self.optimizers.again()
        self.late.asked(asked)
        trace = source.trace(outside())
        self.jits.feeds.pairs.asked(asked, trace.user if trace is not None else None)
        self.symptoms.loss(trace, loss, self.index, self.optimizers.last_rate)
        self.next_step()
        self.late.look()

    def moment(self, moment: Moment) -> None:
        """An update was calculated or applied."""
        if self.jits.capturing:
            self.jits.capturing[-1].moments.append(moment)
            return
        if moment.kind == "update" and moment.made is not None:
            moment.made.calls += 1
        if self.open is not None:
            self.open.results.update(moment.results if moment.kind == "apply" else {})
            moment.strangers = strangers(moment.added_to, self.open.differentiated())
            self.states.given(moment.made, moment.state)
            moment.handed = self.sums.handed(moment.given) if moment.kind == "update" else None
            self.open.moments.append(moment)
        elif self.done and moment.kind == "update" and moment.made is not None and (moment.made.steps or not moment.made.met):
            self.optimizers.asked(moment)

    def renewed(self, made: Made, state: Any, declined: Any) -> None:
        """An optimizer has made this array of its new state, and declined so many updates by now."""
        if self.jits.capturing and self.jits.capturing[-1].moments:
            moment = self.jits.capturing[-1].moments[-1]
            moment.renewed, moment.declined = state, declined
        elif declined is not None:
            made.declined = declined

    def begun(self, entry: Made, parameters: Any, trace: source.Trace | None) -> None:
        """The state of an optimizer is made: within a traced function, at each of its calls."""
        if self.jits.capturing:
            self.moment(Moment("init", trace, entry))
        else:
            self.beginnings.begun(entry, parameters, trace)

    def parameters_in(self, tree: Any) -> dict[str, Any]:
        """The leaves of a tree by the parameters that they belong to: gradients by identity, else by order and type, else by path."""
        found = [leaf for leaf in leaves(tree) if _compat.is_array(leaf)]
        gradients: dict[str, Any] = {}
        if self.jits.capturing:
            for derivation in self.jits.capturing[-1].derivations:
                gradients.update(derivation.gradients)
        if not gradients and self.open is not None:
            for part in self.open.built.parts:
                gradients.update(part.gradients)
        return belonging(found, gradients)

    def called(self, plan: Plan, result: Any) -> None:
        """A jitted function with a derivative or an update in it has returned."""
        self.unseen += plan.unseen
        if self.open is None:
            self.passed(plan, result)
            return
        asked_for(plan, leaves(result))
        if plan.programs:
            self._returned(plan, result)
        called = source.trace(outside())
        for moment in plan.capture.moments:
            moment.was_called(called, leaves(result))
        self.open.moments += plan.capture.moments
        outputs = leaves(result)
        self.open.results.update({name: outputs[at] for name, at in plan.results.items() if at < len(outputs)})
        self.open.updating = plan.updating
        self.open.gradients.update({name: outputs[at] for name, at in plan.gradients.items() if at < len(outputs)})

    def passed(self, plan: Plan, result: Any) -> None:
        """The same, in a step that is not recorded."""
        asked_for(plan, leaves(result))
        for moment in plan.capture.moments:
            if moment.kind == "update" and moment.made is not None and moment.made.steps:
                self.optimizers.asked(moment)
        if plan.programs:
            self.optimizers.again(*plan.capture.moments)
            self._returned(plan, result)
            self.backwards += self.jits.turns(plan)
            self.next_step()

    def _returned(self, plan: Plan, result: Any) -> None:
        """A jitted step has returned: its loss, and the parameters in what it returned."""
        outputs = leaves(result)
        self.beginnings.returned(plan.capture.moments, [outputs[at] for at in plan.results.values() if at < len(outputs)])
        self.symptoms.has_returned(plan, outputs, self.index)
        for program, at in zip(plan.programs, plan.losses, strict=True):
            if at is not None and at < len(outputs):
                self.symptoms.loss(program.derivation.trace, outputs[at], self.index, self.optimizers.last_rate)

    # --- the whole record -------------------------------------------------------------------------------------------

    def draft(self) -> Record:
        """All that is known so far."""
        with self.aside():
            if not self.backwards and self.open is None and not {"torch", "tensorflow"}.isdisjoint(sys.modules):
                return Record()  # imported in passing by a program of another framework
            steps = [*self.steps, *([self.open.built.step] if self.open is not None else [])]
            return Record(
                frameworks=(Framework("jax", str(jax.__version__)), *self.keras.frameworks()),
                outcome=Outcome(steps_seen=self.index, backwards_seen=self.backwards),
                steps=self.symptoms.again.told(self.jits.closures.told(apart(steps)), self.builder),
                optimizers=self.optimizers.records(),
                batches=self.keras.handed_out(tuple(self.jits.feeds.records()), steps) if self.stopped else (),
                courses=self.symptoms.records(self.builder),
                emptied=self.turns.emptied(),
                limits=tuple(dict.fromkeys(self.limits)),
            )

    def finish(self, outcome: Outcome) -> Record:
        """The program has ended: close the step that it ended in, and return everything."""
        self.stop()
        with self.aside():
            if self.open is not None:
                if outcome.exception is not None and self.open.built.parts[-1].program.derivation.failed is not None:
                    told = about(outcome.exception, self.open.built.parts[-1].program.derivation.bounds)
                    self.open.events.append(Event("exception", len(self.open.built.step.graph.ops), (), None, told))
                self.close(None)
            self.symptoms.arrived()
            self.guarded("late", self.late.look)
            self.guarded("late", self.late.fallen)
            record, endings = self.draft(), self.symptoms.endings()
            fits = self.guarded("fits", self.jits.feeds.pairs.fits, record) or ()
        outcome = replace(outcome, steps_seen=self.index, backwards_seen=self.backwards or self.unseen)
        return replace(record, outcome=outcome, endings=endings, fits=fits)
