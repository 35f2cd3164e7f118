"""A step that was not recorded and went wrong: it is looked at afterwards, on the arguments that it was called with."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from whygrad.flow.courses import fell_early
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.assembly import Part
from whygrad.frontends.jax.births import state
from whygrad.frontends.jax.derivations import Asked, arguments_of, leaves
from whygrad.frontends.jax.evaluation import deleted
from whygrad.frontends.jax.opening import held, replay_of
from whygrad.frontends.jax.outcomes import Open, sites
from whygrad.frontends.jax.programs import affordable
from whygrad.frontends.jax.symptoms import LATE
from whygrad.frontends.jax.tape import Numbers
from whygrad.frontends.jax.transformations import Moment

if TYPE_CHECKING:
    from whygrad.frontends.jax.jits import Jitted
    from whygrad.frontends.jax.plans import Plan
    from whygrad.frontends.jax.recorder import JaxRecorder

CALLS = LATE + 3
"""Calls whose arguments are held: the loss of the first may just have been read, and the step before it may be the cause."""
LARGEST = 256 << 20
"""Bytes of arguments that are held at most; as most are the next call's as well, or the data's, few of them are memory of their own."""
KEPT = 64 << 20
"""Bytes of all values of a recorded step up to which it is held, where later ones can be run by it alone."""
FEWEST = 2
"""Calls that are needed: a loss that is no number is mostly the update's of the step before."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a jitted step."""

    index: int
    jitted: "Jitted"
    plan: "Plan"
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def gone(self) -> bool:
        """The program has handed the memory of some argument on."""
        return any(deleted(leaf) for leaf in jax.tree_util.tree_leaves((self.args, self.kwargs)))


@dataclass(frozen=True, slots=True)
class Asking:
    """One derivative that was asked for outside of every jitted function."""

    index: int
    asked: Asked
    plan: "Plan | None" = None

    def gone(self) -> bool:
        """Its arguments can't have been handed on."""
        return False


class Lateness:
    """The last calls of jitted steps, until their losses are known to be finite."""

    def __init__(self, recorder: "JaxRecorder") -> None:
        self.recorder = recorder
        self.calls: deque[Call | Asking] = deque(maxlen=CALLS)
        self.shown: deque[Part] = deque(maxlen=2)
        """The last recorded derivatives outside of every jitted function, which later ones are like."""
        self.moments: list[Moment] = []
        """What updated the last recorded step."""
        self.over = self.switched = False
        self.waiting: Call | None = None
        """The first step in another mode, until the next one tells what became of its parameters."""

    def note(self, jitted: "Jitted", plan: "Plan", args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """A step was called that is not recorded."""
        if self.over or not plan.programs or self.recorder.settings.experiments == "off":
            return
        if not self.calls or self.calls[-1].plan is not plan:
            self._begin(sum(_bytes(variable.aval) for variable in plan.closed.jaxpr.invars))
        if self.calls.maxlen:
            self.calls.append(Call(self.recorder.index, jitted, plan, args, kwargs))
        if self.waiting is not None and self.calls and self.waiting.plan is plan:
            call, self.waiting = self.waiting, None
            self._switched(call, self.calls[-1])

    def recorded(self, opened: Open) -> None:
        """A step was recorded."""
        part, self.moments = opened.built.parts[-1], opened.moments
        alone = not part.program.compiled and len(opened.built.parts) == 1 and part.program.derivation.failed is None
        if alone and sum(_bytes(item) for item in part.arrays.values() if _compat.is_array(item)) <= KEPT:
            self.shown.append(part)
        else:
            self.shown.clear()

    def asked(self, asked: Asked) -> None:
        """A derivative was asked for in a step that is not recorded, outside of every jitted function."""
        if self.over or len(self.shown) < 2 or self.recorder.settings.experiments == "off":  # noqa: PLR2004 - both of them
            return
        if not self.calls:
            self._begin(sum(_bytes(leaf) for leaf in leaves((asked.args, asked.kwargs)) if _compat.is_array(leaf)))
        if self.calls.maxlen:
            self.calls.append(Asking(self.recorder.index, asked))

    def _begin(self, size: int) -> None:
        """As many calls are held as their arguments allow."""
        most = min(CALLS, LARGEST // max(size, 1))
        self.calls = deque(self.calls, maxlen=most if most >= FEWEST else 0)

    def look(self) -> None:
        """Look at the step that went wrong, if a loss was just seen not to be finite."""
        found = self.recorder.symptoms.non_finite
        if self.over or found is None or not self.calls:
            return
        self.over = True
        held, self.calls = list(self.calls), deque(maxlen=0)
        if any(step.births for step in self.recorder.steps):
            return
        if held[0].gone():
            self.recorder.limits.append(
                "the step hands the memory of its arguments on, so that the one that went wrong could not be run again"
            )
            return
        self._search([call for call in held if call.index <= found], held)

    def fallen(self) -> None:
        """The run is over and its rate fell away long ago: the last call but one, whose update is known, tells whether anything was left to be learnt."""
        low = any(fell_early(entry.low_from, entry.steps) for entry in self.recorder.optimizers.used())
        calls = [call for call in self.calls if isinstance(call, Call) and not call.gone()]
        if self.over or not low or len(calls) < FEWEST or calls[-2].plan is not calls[-1].plan:
            return
        self.over = True
        if parts := self._parts(calls[-2]):
            self._record(calls[-2], parts, _given(self._parts(calls[-1])), scheduled=True)

    def traced_anew(self) -> None:
        """A step was traced once more after its modules had been switched to evaluation mode: what is called from now on is another program."""
        if not self.switched and self.calls and self.recorder.modes.evaluating and self.recorder.steps and not self.calls[-1].gone():
            last = self.calls[-1]
            self.switched, self.waiting = True, last if isinstance(last, Call) else None

    def _switched(self, call: Call, following: Call | Asking) -> None:
        """The first step in evaluation mode, now that the next one is given what it made."""
        if parts := self._parts(call):
            known = self.recorder.steps[-1].modes
            self._record(call, parts, _given(self._parts(following)))
            step = self.recorder.steps[-1]
            self.recorder.steps[-1] = replace(step, modes={**dict.fromkeys(known, False), **step.modes})

    def _search(self, before: Sequence[Call | Asking], held: Sequence[Call | Asking]) -> None:
        """The last call whose parameters were finite: its loss, its gradient or its update is not."""
        for call in reversed(before):
            parts = self._parts(call)
            if not parts:
                return
            if not any(state(part.arrays[number]) for part in parts for number in part.program.moving):
                following = next((other for other in held if other.index == call.index + 1), None)
                self._record(call, parts, _given(self._parts(following)) if following is not None else {})
                return

    def _parts(self, call: Call | Asking) -> list[Part]:
        if isinstance(call, Asking):
            return self._like_before(call.asked)
        closed, flat = _compat.traced(call.jitted.inner, call.args, call.kwargs)
        return self.recorder.jits.parts(call.plan, dict(zip(closed.jaxpr.invars, flat, strict=False))) if closed is call.plan.closed else []

    def _like_before(self, asked: Asked) -> list[Part]:
        """A recorded derivative's program on another one's arguments; what it reads beside them must be the same in both recorded ones."""
        before, part = self.shown
        numbers, program = Numbers(), self.shown[-1].program
        given = {argument.path: numbers.objects[argument.number] for argument in arguments_of(asked, numbers)}
        paths = {argument.number: argument.path for argument in program.derivation.arguments}
        arrays: dict[int, Any] = {}
        for number in (*program.external(), *program.moving):
            known, path = part.arrays.get(number), paths.get(number)
            item = given.get(path) if path is not None else known if known is before.arrays.get(number) else None
            if item is None or known is None or np.shape(item) != np.shape(known) or item.dtype != known.dtype:
                return []
            arrays[number] = item
        engine = program.engine(arrays)
        engine.watched = tuple(affordable(program))
        loss, seen, found = engine.gradients({number: arrays[number] for number in engine.moving})
        gradients = {paths[number]: item for number, item in found.items()}
        return [Part(program, {**arrays, **seen}, part.activations, gradients, loss, engine)]

    def _record(self, call: Call | Asking, parts: list[Part], after: dict[str, Any], *, scheduled: bool = False) -> None:
        """The step as if it had been recorded when it ran."""
        recorder = self.recorder
        built = recorder.assembly.build(call.index, parts, recorder.modes.events(recorder.builder))
        built.step = recorder.optimizers.holding(built.step, held(recorder.optimizers, parts, call.plan))
        replay = replay_of(recorder.optimizers, built, call.plan)
        replay = replace(replay, rule=replay.rule or recorder.optimizers.rule(scheduled=True)) if scheduled else replay
        built.step = recorder.observer.examine(built.step, replay)
        moments = list(call.plan.capture.moments) if call.plan is not None else [replace(moment, results={}) for moment in self.moments]
        updating = call.plan.updating if call.plan is not None else None
        opened = Open(built, mark=recorder.surroundings.count, moments=moments, updating=updating)
        with recorder.optimizers.as_they_are():
            step = recorder.outcomes.finished(opened, after)
        kind = recorder.kinds.kind(frozenset(recorder.optimizers.stepped(step)), frozenset(sites(step)))
        recorder.steps.append(replace(step, kind=kind))
        recorder.observer.keep(recorder.steps[-1])


def _given(parts: Sequence[Part]) -> dict[str, Any]:
    """The parameters that derivatives were given, by their names."""
    return {a.path: part.arrays[a.number] for part in parts for a in part.program.derivation.parameters if a.number in part.arrays}


def _bytes(aval: Any) -> int:
    size = getattr(aval, "size", 0)
    return int(size) * int(getattr(np.dtype(aval.dtype), "itemsize", 1)) if _is_plain(aval) else 0


def _is_plain(aval: Any) -> bool:
    return hasattr(aval, "dtype") and "key<" not in str(aval.dtype)
