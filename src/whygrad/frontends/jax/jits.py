"""Jitted functions: what was captured while JAX traced them, and what each call makes of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import jax

from whygrad.frontends import source
from whygrad.frontends.jax import _compat, programs
from whygrad.frontends.jax.assembly import Part
from whygrad.frontends.jax.batched import Batched, met
from whygrad.frontends.jax.beginnings import Beginnings, mark
from whygrad.frontends.jax.building import Builder
from whygrad.frontends.jax.carrying import carried, ends_of, results_of
from whygrad.frontends.jax.closures import Closures
from whygrad.frontends.jax.derivations import SLOPES, Derivation
from whygrad.frontends.jax.exchanged import handed_out
from whygrad.frontends.jax.failures import given_to, whole
from whygrad.frontends.jax.feeds import Feeds
from whygrad.frontends.jax.flattening import places
from whygrad.frontends.jax.inputs import named
from whygrad.frontends.jax.mapping import is_tree
from whygrad.frontends.jax.nesting import Nest, first_turn, nest_for, nest_of, same_copies
from whygrad.frontends.jax.patches import outside
from whygrad.frontends.jax.plans import Capture, Plan, out_of_sight
from whygrad.frontends.jax.programs import Program
from whygrad.frontends.jax.shards import UNKNOWN, gathered
from whygrad.frontends.jax.states import States
from whygrad.frontends.jax.strangers import strangers
from whygrad.frontends.jax.sums import Sums, source_of
from whygrad.frontends.jax.tape import Bound
from whygrad.frontends.jax.transformations import Moment, learned
from whygrad.ir import Site

LOST = "a derivative within or of a function that JAX maps over rows or devices, was not looked at"
MOVED = "a derivative in a loop under `vmap`, of which each row is differentiated by an array of its own, was not looked at"
APART = "the parameters of a derivative within `pmap` are not the same on all devices: those of the first one are looked at, if they were the same before"


class Jitted:
    """Stands for a jitted function, and hands everything on to it."""

    def __init__(self, inner: Any, jits: "Jits") -> None:
        self.inner = inner
        self.jits = jits
        self.plan: Plan | None = None
        self.__wrapped__ = getattr(inner, "__wrapped__", inner)
        for name in ("__name__", "__qualname__", "__doc__", "__module__", "__annotations__"):
            if hasattr(inner, name):
                setattr(self, name, getattr(inner, name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.jits.call(self, args, kwargs)

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else _Method(self, owner)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "inner"), name)

    def __repr__(self) -> str:
        return repr(self.inner)


class _Method:
    """A jitted function that is a method."""

    def __init__(self, function: Jitted, owner: Any) -> None:
        self.__func__, self.__self__ = function, owner
        self.__wrapped__ = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__func__(self.__self__, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__func__, name)


class Holding(Protocol):
    """Holds the last calls until their losses are known to be finite."""

    def note(self, jitted: Jitted, plan: Plan, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """A step was called that is not recorded."""

    def traced_anew(self) -> None:
        """The step was traced once more."""

    def look(self) -> None:
        """Look at the step that went wrong, if a loss was just seen not to be finite."""


class Owner(Protocol):
    """What is asked of the recorder."""

    limits: list[str]
    states: States
    sums: Sums
    beginnings: Beginnings
    index: int
    taping: int
    busy: int
    done: bool
    builder: Builder
    late: "Holding"
    open: Any
    """The step whose update is not known yet."""

    @property
    def listening(self) -> bool:
        """The program's own calls are to be looked at."""

    @property
    def on(self) -> bool:
        """Steps are recorded now."""

    def guarded(self, where: str, method: Any, *args: Any) -> Any:
        """Run something of ours."""

    def opened(self, parts: list[Part], plan: Any) -> None:
        """A recorded step has its derivative."""

    def called(self, plan: Any, result: Any) -> None:
        """A jitted function with a derivative or an update in it has returned."""

    def passed(self, plan: Any, result: Any) -> None:
        """The same, in a step that is not recorded."""


class Jits:
    """All jitted functions of the program."""

    def __init__(self, recorder: Owner) -> None:
        self.recorder = recorder
        self.capturing: list[Capture] = []
        self.plans: dict[int, Plan] = {}
        self.feeds = Feeds()
        self.closures = Closures(recorder)
        self.agreed = False
        """All devices held the same parameters, in a step that was looked at."""

    def wrap(self, made: Any) -> Any:
        """A jitted function, watched; a decorator that makes one, likewise."""
        if hasattr(made, "lower") and callable(made):
            return Jitted(made, self)
        return lambda *args, **kwargs: self.wrap(made(*args, **kwargs))

    def call(self, jitted: Jitted, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The program calls a jitted function."""
        recorder = self.recorder
        if not recorder.listening or recorder.taping or self.capturing or not _compat.at_top():
            return jitted.inner(*args, **kwargs)
        capture = self.begin()
        try:
            if recorder.on:
                closed, flat = _compat.traced(jitted.inner, args, kwargs)
            else:
                result = jitted.inner(*args, **kwargs)
        except Exception:
            self.end(capture)
            recorder.guarded("jit", self._failed, capture, (args, kwargs))
            raise
        finally:
            self.end(capture)
        if not recorder.on:
            recorder.guarded("jit", self._noticed, jitted, capture, args, kwargs, result)
            return result
        plan = recorder.guarded("jit", self._before, jitted, capture, closed, flat, (args, kwargs))
        result = jitted.inner(*args, **kwargs)
        if plan is not None:
            recorder.guarded("jit", recorder.called, plan, result)
        return result

    def begin(self) -> Capture:
        """A function is being traced from here on."""
        self.capturing.append(capture := Capture())
        self.recorder.busy += 1
        return capture

    def batched(self, primitive: Any, tracers: Sequence[Any], params: Mapping[str, Any], result: Any) -> None:
        """A primitive was traced under `vmap`."""
        if (call := met(primitive, tracers, params, result)) is not None:
            self.capturing[-1].batched.append(call)

    def end(self, capture: Capture) -> bool:
        """It is traced; False where that was known."""
        if known := any(item is capture for item in self.capturing):
            self.capturing.pop()
            self.recorder.busy -= 1
        return known

    def _noticed(self, jitted: Jitted, capture: Capture, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """A call that is not recorded."""
        if capture:
            closed, _ = _compat.traced(jitted.inner, *_compat.shown(args, kwargs))
            jitted.plan = self.plans[id(closed.jaxpr)] = self.planned(
                capture, closed
            )  # JAX traces a function once: a later step, which may be recorded, is made of this
        if jitted.plan is None:
            self.closures.called(jitted, args, kwargs)
        elif self.feeds.wants(id(jitted)):
            self.feeds.passed(id(jitted), args, kwargs)
        if jitted.plan is not None:
            self.closures.settled.called(jitted, jitted.plan.closed, args, traced=bool(capture))
            self.recorder.late.note(jitted, jitted.plan, args, kwargs)
            self._begun(jitted.plan, jax.tree_util.tree_leaves((args, kwargs)))
            self.recorder.passed(jitted.plan, result)
            if capture.derivations:
                self.recorder.late.traced_anew()
            self.recorder.late.look()

    def _failed(self, capture: Capture, given: Any) -> None:
        """The function raised while it was traced: what is known of the derivative that it raised in."""
        asked = capture.derivations[-1].failed is not None if capture.derivations else False
        asked = asked or any(moment.made is not None and moment.made.orphans for moment in capture.moments)
        if capture.derivations and asked and self.recorder.on:
            derivation = capture.derivations[-1]
            program, found = programs.failed(derivation), given_to(derivation, given)
            self.recorder.opened([Part(program, whole(found, derivation), capture.activations[-1], {}, given=found)], None)

    def _before(self, jitted: Jitted, capture: Capture, closed: Any, flat: Sequence[Any], call: Any) -> Plan | None:
        """The values of a call that is about to run, and the step that they make."""
        if capture:
            self.plans[id(closed.jaxpr)] = self.planned(capture, closed)
        plan = jitted.plan = self.plans.get(id(closed.jaxpr))
        if plan is None:
            self.closures.called(jitted, *call)
            return None
        self.closures.settled.called(jitted, plan.closed, call[0], traced=bool(capture))
        if values := self.entered(plan, flat):
            built = self.recorder.open.built if self.recorder.open else None
            self.feeds.recorded(id(jitted), flat, dict(named(plan, built.facts)) if built else {}, self._loop, built)
            for moment in plan.capture.moments:
                found = values.get(_compat.variable(moment.state)) if moment.state is not None else None
                self.recorder.states.given(moment.made, found)
        if self.recorder.open is not None:
            inputs = dict(zip(plan.closed.jaxpr.invars, flat, strict=False))
            for moment in plan.capture.moments:
                given = {name: inputs[item] for name, item in plan.handed.get(id(moment), {}).items()}
                moment.handed = self.recorder.sums.handed(given)
                added_to = {name: inputs.get(_compat.variable(item)) for name, item in moment.added_to.items()}
                known = all(item is not None for item in added_to.values())
                moment.strangers = strangers(added_to, self.recorder.open.differentiated()) if known else ()
        self._begun(plan, flat)
        return plan

    def entered(self, plan: Plan, flat: Sequence[Any]) -> dict[Any, Any]:
        """A step is recorded of a call that is about to run; the values that it is given, or none if nothing can be seen of it."""
        values = dict(zip(plan.closed.jaxpr.invars, flat, strict=False))
        parts = self.parts(plan, values)
        self.closures.met(parts)
        if parts:
            self.recorder.opened(parts, plan)
        return values if parts else {}

    def _begun(self, plan: Plan, given: Sequence[Any]) -> None:
        plan.given = given
        self.recorder.beginnings.entering(plan.capture.moments, given, derived=bool(plan.programs))

    def parts(self, plan: Plan, values: Mapping[Any, Any]) -> list[Part]:
        """The derivatives of a call that are looked at, with all their values."""
        return [part for at in range(len(plan.programs)) if (part := self._part(plan, at, values)) is not None]

    def _loop(self) -> Site | None:
        """The loop in which the program calls a step."""
        return self.recorder.builder.loop(source.trace(outside()))

    def planned(self, capture: Capture, closed: Any) -> Plan:
        """What is to be looked at in a traced program."""
        plan = Plan(closed, capture)
        self._derivatives(plan)
        makers = {item: equation for equation in closed.jaxpr.eqns for item in equation.outvars}
        for moment in capture.moments:
            moment.kept = _kept(moment, closed, capture.batched)
            moment.handed_out = moment.renewed is not None and _compat.variable(moment.renewed) in closed.jaxpr.outvars
            plan.handed[id(moment)] = _handed(moment, closed, makers)
            moment.places = handed_out(moment, closed)
            learned(moment, closed)
        outputs = {variable: at for at, variable in enumerate(closed.jaxpr.outvars) if not _compat.is_literal(variable)}
        counted = [
            (m.made, outputs.get(_compat.variable(m.declined))) for m in capture.moments if m.made is not None and m.declined is not None
        ]
        plan.declined = [(made, at) for made, at in counted if at is not None]
        for program, nest, followed in zip(plan.programs, plan.nests, plan.carried, strict=True):
            loss = program.derivation.loss
            variable = _compat.variable(program.derivation.numbers.objects[loss]) if loss is not None else None
            plan.losses.append(outputs.get(_compat.averaged(closed.jaxpr, variable)))
            plan.results.update(results_of(program, closed, followed.outside))
            plan.ends.update(ends_of(nest, followed.turned, closed))
            plan.updating = plan.updating or updating(plan, closed)
            found = {n: outputs.get(_compat.variable(item)) for n, item in program.derivation.gradients.items() if not _compat.mapped(item)}
            plan.gradients.update({name: at for name, at in found.items() if at is not None})
        mark(capture.moments, [closed.jaxpr.outvars[at] for at in plan.results.values()])
        return plan

    def _derivatives(self, plan: Plan) -> None:
        """The derivatives that are looked at; the others are counted."""
        lost, slopes = list[Derivation](), list[Derivation]()
        pairs = zip(plan.capture.derivations, plan.capture.activations, strict=True)
        for derivation, activations in sorted(pairs, key=lambda pair: not pair[0].forward):
            if any(derivation.around is program.derivation for program in plan.programs):
                continue
            nest = nest_for(derivation, plan.closed, plan.capture.batched)
            if nest is None:
                lost += [derivation] if derivation.failed is None else []
                continue
            program = programs.traced(derivation, nest.owner, nest.shards, nest.levels)
            if derivation.forward and not (programs.judged(program) and _updated(program, nest, plan.closed)):
                slopes.append(derivation)
            elif self._by_data(program, nest, plan):
                plan.unseen += 1
                self.recorder.limits += [MOVED] if nest.levels else []
            else:
                plan.programs.append(program)
                plan.nests.append(nest)
                plan.carried.append(carried(nest, program.variables()))
                plan.activations.append(activations)
        self._left(plan, lost, slopes)

    @staticmethod
    def _by_data(program: Program, nest: Nest, plan: Plan) -> bool:
        """Each row is differentiated by what is its own, and that is no model which the function updates."""
        forward = plan.capture.moments or program.derivation.forward
        return not forward and program.by_rows() and not _trained(program, nest, plan.closed)

    def _left(self, plan: Plan, lost: Sequence[Derivation], slopes: Sequence[Derivation]) -> None:
        """Some derivatives are not looked at; matrices and slopes beside one that is say nothing of training."""
        reached = [program.derivation for program in plan.programs]
        lost = [item for item in lost if not any(item.beside(other) for other in reached)]  # JAX traces some bodies twice
        lost = [item for item in lost if not (item.forward and reached)]
        slopes = slopes if not reached and not lost else ()
        plan.unseen += len(lost) + len(slopes)
        self.recorder.limits += [LOST] if lost else [SLOPES] if slopes else []

    def _inside(self, plan: Plan, at: int, values: Mapping[Any, Any]) -> tuple[Mapping[Any, Any], Mapping[str, Any]]:
        """The values of the program that the derivative belongs to, those of the call or of a loop's first turn; and what that turn makes of parameters."""
        nest, turned = plan.nests[at], plan.carried[at].turned
        if not nest.path:
            return values, {}
        if at not in plan.entries:
            wanted = {level: [variable for _, variable in items] for level, items in turned.items()}
            plan.entries[at] = _compat.ORIGINALS.jit(first_turn(plan.closed, nest, wanted))
        inputs, read, made = plan.entries[at](*(values[variable] for variable in plan.closed.jaxpr.invars))
        around = [variable for level in nest.around for variable in level]
        names = [name for level in sorted(turned) for name, _ in turned[level]]
        inside = {**dict(zip(around, read, strict=True)), **dict(zip(nest.owner.jaxpr.invars, inputs, strict=False))}
        return inside, dict(zip(names, made, strict=True))

    @staticmethod
    def turns(plan: Plan) -> int:
        """How many derivatives one call takes."""
        return sum(nest.turns for nest in plan.nests)

    def _part(self, plan: Plan, at: int, values: Mapping[Any, Any]) -> Part | None:
        """One derivative with all its values, for this call's arguments."""
        if not same_copies(plan.nests[at], values):
            self.recorder.limits.append(APART)
            if not self.agreed:
                return None  # timid: members of an ensemble
        self.agreed = self.agreed or bool(plan.nests[at].shared)
        inside, turned = self._inside(plan, at, values)
        arrays = programs.resolved(plan.programs[at].given, inside)
        # timid: beside another derivative, what is made within the function may be a state of an inner loop
        arrays |= programs.begun(plan.programs[at], plan.nests[at].owner, inside, plan.nests[at].levels) if len(plan.programs) == 1 else {}
        arrays = gathered(arrays) if plan.nests[at].shards is not None or plan.programs[at].over_devices() else arrays
        if any(number not in arrays for number in plan.programs[at].moving):
            self.recorder.limits += out_of_sight(plan, at)
            return None
        if at not in plan.engines:
            program = programs.flattened(plan.programs[at], arrays)
            if any(number not in arrays for number in program.external()):
                self.recorder.limits.append("a derivative that reads what is not known outside of a transformation was not looked at")
                return None
            plan.programs[at] = program
            self.recorder.limits += program.limits
            engine = plan.engines[at] = program.engine(arrays)
            engine.watched = tuple(programs.affordable(program))
        program, engine = plan.programs[at], plan.engines[at]
        engine.fixed = {number: arrays[number] for number in engine.fixed}
        try:
            loss, seen, found = engine.gradients({number: arrays[number] for number in engine.moving})
        except Exception:
            if plan.nests[at].shards is None:
                raise
            self.recorder.limits.append(UNKNOWN)
            return None
        names = {argument.number: argument.path for argument in program.derivation.parameters}
        gradients = {names[number]: item for number, item in found.items()}
        return Part(program, {**arrays, **seen}, plan.activations[at], gradients, loss, engine, turned=turned)


def _trained(program: Program, nest: Nest, closed: Any) -> bool:
    """Each row has the parameters of a model, and new ones are made of all of them."""
    # timid: data that a simulation moves look just like a model of one array
    return is_tree(program.derivation) and _updated(program, nest, closed)


def _updated(program: Program, nest: Nest, closed: Any) -> bool:
    """The function that is traced, or a loop within it, makes something new of all that is differentiated."""
    followed = carried(nest, program.variables())
    turned = {name for items in followed.turned.values() for name, _ in items}
    return len({*turned, *results_of(program, closed, followed.outside)}) == len(program.derivation.parameters)


def asked_for(plan: Plan, outputs: Sequence[Any]) -> None:
    """The optimizers that a call asked for updates, and what they have declined by now."""
    for moment in plan.capture.moments:
        if moment.kind == "update" and moment.made is not None:
            moment.made.calls += 1
    for made, at in plan.declined:
        made.declined = outputs[at] if at < len(outputs) else made.declined


def _kept(moment: Moment, closed: Any, batched: Sequence[Batched]) -> bool | None:
    """Something reads what an application made, or the function or the loop that it stands in hands it out; None where it was made elsewhere."""
    found = [variable for item in moment.results.values() if (variable := _compat.variable(item)) is not None]
    nest = nest_of(closed, found, batched) if moment.kind == "apply" and found else None
    if nest is None:
        return None
    jaxpr = nest.owner.jaxpr
    read = {id(item) for equation in jaxpr.eqns for item in equation.invars} | {id(item) for item in jaxpr.outvars}
    return any(id(variable) in read for variable in found)


def _handed(moment: Moment, closed: Any, makers: Mapping[Any, Any]) -> dict[str, Any]:
    """What an update is handed, where it comes from the function's arguments; nothing unless all of it does."""
    arguments = set(closed.jaxpr.invars)
    found = {name: source_of(_compat.variable(item), makers) for name, item in moment.given.items()}
    return found if moment.kind == "update" and all(item in arguments for item in found.values()) else {}


def updating(plan: Plan, closed: Any) -> source.Trace | None:
    """Where the equation stands that makes the new value of a parameter."""
    for at in plan.results.values():
        for equation in closed.jaxpr.eqns:
            if closed.jaxpr.outvars[at] in equation.outvars:
                return places(equation, Bound(None, {}, (), (), None))[0]
    return None
