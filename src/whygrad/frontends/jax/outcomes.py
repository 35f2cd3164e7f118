"""What became of a step's parameters: how far they moved, who moved them, and what the program computed of them by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.arrays import sample_of, wide
from whygrad.frontends.jax import _compat, exchanged, taken_in
from whygrad.frontends.jax.ascents import along, uphill
from whygrad.frontends.jax.ascents import place as place_of_ascent
from whygrad.frontends.jax.assembly import SNAPSHOT, Assembly, Built, Part, Snapshot, compared, rounded
from whygrad.frontends.jax.by_hand import Updates
from whygrad.frontends.jax.evaluation import deleted
from whygrad.frontends.jax.handed import told
from whygrad.frontends.jax.optimizers import Optimizers
from whygrad.frontends.jax.replay import JaxReplay
from whygrad.frontends.jax.sums import Sums
from whygrad.frontends.jax.surroundings import Surroundings
from whygrad.frontends.jax.symptoms import Symptoms
from whygrad.frontends.jax.ties import Ties
from whygrad.frontends.jax.transformations import Moment
from whygrad.ir import Event, Parameter, Step

GRADIENTS = 1_000_000
"""Numbers from here on stand for gradients."""


@dataclass(slots=True)
class Open:
    """A recorded step whose update is not known yet."""

    built: Built
    replay: JaxReplay | None = None
    mark: int = 0
    """How many primitives had been computed outside before."""
    events: list[Event] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    updating: source.Trace | None = None
    """Where the program makes new parameters of the old ones itself."""
    gradients: dict[str, Any] = field(default_factory=dict)
    """Those that a jitted function handed out."""
    results: dict[str, Any] = field(default_factory=dict)
    """Parameter name to what the program made of it."""

    def differentiated(self) -> list[Any]:
        """What its derivatives were taken by."""
        return [part.arrays[a.number] for part in self.built.parts for a in part.program.derivation.parameters if a.number in part.arrays]

    def seen_next(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """What the next step was given, where that tells of this one's update: a whole loop of updates may well begin again with the same parameters."""
        turned = {name for part in self.built.parts for name in part.turned}
        return {name: item for name, item in arrays.items() if name not in turned}


class Outcomes:
    """Completes a step once its successor begins, or the program ends."""

    def __init__(self, assembly: Assembly, optimizers: Optimizers, surroundings: Surroundings, symptoms: Symptoms, sums: Sums) -> None:
        self.assembly = assembly
        self.optimizers = optimizers
        self.surroundings = surroundings
        self.symptoms = symptoms
        self.sums = sums
        self.ties = Ties()
        self.updates = Updates()

    def untied(self, opened: Open) -> Step:
        """The step with the pairs of its parameters that were one array in an earlier step."""
        step, ties = opened.built.step, self.ties
        arrays = {
            a.path: part.arrays[a.number]
            for part in opened.built.parts
            for a in part.program.derivation.parameters
            if a.number in part.arrays
        }
        values, places = {p.name: p.value for p in step.parameters}, {p.name: p.site for p in step.parameters}
        known = {name: item for name, item in arrays.items() if name in values}
        return replace(step, events=(*ties.events(step.graph, values, known, places), *step.events))

    def finished(self, opened: Open, after: dict[str, Any]) -> Step:
        """The step with its updates; `after` holds the parameters that were seen next."""
        self._with_after(opened)
        step = opened.built.step
        gradients = {name: item for part in opened.built.parts for name, item in part.gradients.items()}
        found = []
        for parameter in step.parameters:
            before = opened.built.snapshots.get(parameter.name)
            moved = compared(before, after.get(parameter.name)) if before is not None else None
            if moved is not None:
                still = rounded(before, after.get(parameter.name), gradients.get(parameter.name))
                self._kept(parameter.name, before, moved[1], opened.results.get(parameter.name))
                way = along(before, after.get(parameter.name), gradients.get(parameter.name))
                parameter = replace(parameter, update_norm=moved[0], moved=moved[1], rounded=still, along=way)  # noqa: PLW2901 - the same one, completed
            self.symptoms.changed.update((parameter.name,) if parameter.moved else ())
            self.symptoms.gradient_seen.update((parameter.name,) if parameter.gradient != "none" else ())
            found.append(parameter)
        step = replace(step, parameters=tuple(found))
        step = replace(step, events=(*step.events, *opened.events))
        own = {name: item for part in opened.built.parts[-1:] for name, item in part.gradients.items()}
        made = self.updates.made(step.index, opened.built.snapshots, after, own) if not opened.moments else None
        self.optimizers.by_hand = (made, opened.updating or self._updated_at(opened, after)) if made is not None else None
        step = told(self.optimizers.finished(step, self._with_effects(opened)), opened.moments, self.assembly.builder.site)
        step = taken_in.told(step, opened.built.parts)
        step = exchanged.told(step, opened.moments, opened.built.snapshots, after, self.assembly.builder.site)
        if not opened.moments:
            step = told(step, self._by_hand(opened, after), self.assembly.builder.site)
        self.symptoms.frozen.update(parameter.name for parameter in step.parameters if not parameter.trainable)
        return self._with_ascents(step, opened, uphill(opened.built.snapshots, after, gradients)) if opened.moments else step

    def _by_hand(self, opened: Open, after: dict[str, Any]) -> list[Moment]:
        """What the program itself took off its parameters, as if an update had been handed that."""
        before = {name: item for name, item in opened.built.snapshots.items() if after.get(name) is not None and not deleted(after[name])}
        now = {name: sample_of(np.asarray(after[name]), SNAPSHOT) for name in before}
        taken = {
            name: (wide(item.sample) - wide(now[name])).reshape(-1) for name, item in before.items() if item.sample.shape == now[name].shape
        }
        if not any(np.any(item) for item in taken.values()):
            return []
        handed = self.sums.handed(taken)
        place = opened.updating or self._updated_at(opened, after)
        return [Moment("update", place, handed=replace(handed, trace=place))] if handed is not None else []

    def _kept(self, name: str, before: Snapshot | None, moved: float, handed_out: Any) -> None:
        """Note whether what a jitted step made of a parameter is what the next one was given, or was dropped by the caller."""
        made = compared(before, handed_out) if before is not None and not _compat.is_tracer(handed_out) else None
        if moved:
            self.symptoms.unkept.discard(name)
        elif made is not None and made[1]:
            self.symptoms.unkept.add(name)

    def _with_ascents(self, step: Step, opened: Open, names: Sequence[str]) -> Step:
        """The step with an event that tells which parameters their gradients were added to as they are."""
        if not names:
            return step
        some = not {parameter.name for parameter in step.parameters if parameter.moved} <= set(names)
        site = self.assembly.builder.site(place_of_ascent(opened.moments, some=some))
        return replace(step, events=(*step.events, Event("ascent", len(step.graph.ops), tuple(names), site)))

    def _updated_at(self, opened: Open, after: dict[str, Any]) -> source.Trace | None:
        """Where the program computed the first new parameter."""
        made = {self.surroundings.numbers.seen(item) for item in after.values()}
        new = (bound for bound in self.surroundings.bounds if not made.isdisjoint(bound.outputs))
        _ = opened
        return next((bound.trace for bound in new), None)

    def _with_effects(self, opened: Open) -> list[Moment]:
        """The moments of a step, with whether what they applied differs from what was there."""
        for moment in opened.moments:
            pairs = [(opened.built.snapshots[name], item) for name, item in moment.results.items() if name in opened.built.snapshots]
            pairs += [
                (opened.built.snapshots[n], opened.results[n]) for n in moment.held if n in opened.results and n in opened.built.snapshots
            ]
            found = [moved for before, item in pairs if not _compat.is_tracer(item) and (moved := compared(before, item)) is not None]
            if moment.kind == "apply" and moment.kept is False:
                moment.changed = True  # what it made went nowhere; what stayed says nothing of it
            elif moment.kind == "apply" and found:
                moment.changed = any(share for _, share in found)
        return opened.moments

    def _with_after(self, opened: Open) -> None:
        """Add what the program computed from parameters and gradients by itself."""
        part = opened.built.parts[-1]
        moving = {a.number: part.arrays[a.number] for a in part.program.derivation.parameters if a.number in part.arrays}
        handed = opened.gradients or part.gradients
        gradients = dict(enumerate(handed, GRADIENTS))
        given = {**moving, **{number: handed[name] for number, name in gradients.items()}}
        after = self.surroundings.after(opened.mark, given)
        self.assembly.with_after(opened.built, after, gradients)


def belonging(found: Sequence[Any], gradients: dict[str, Any]) -> dict[str, Any]:
    """Leaves by the parameters whose gradients they are, or whose types they have in the same order."""
    known = {id(item): name for name, item in gradients.items()}
    if found and all(id(item) in known for item in found):
        return {known[id(item)]: item for item in found}
    if [_type(item) for item in found] == [_type(item) for item in gradients.values()]:
        return dict(zip(gradients, found, strict=True))
    if [_type(item)[0] for item in found] == [_type(item)[0] for item in gradients.values()]:
        return dict(zip(gradients, found, strict=True))  # cast on the way: half precision by hand
    rest = dict(gradients)
    matched: dict[str, Any] = {}
    for item in found:
        name = known.get(id(item)) or next((name for name, other in rest.items() if _type(other) == _type(item)), None)
        if name is not None and name in rest:
            matched[name] = item
            del rest[name]
    return matched


def _type(item: Any) -> tuple[Any, Any]:
    return getattr(item, "shape", None), str(getattr(item, "dtype", None))


def place(part: Part) -> object:
    """Where a derivative is asked for."""
    trace = part.program.derivation.trace
    return trace.user[0] if trace is not None and trace.user else None


def sites(step: Step) -> list[object]:
    """The lines of a step's backwards."""
    return [(event.site.file, event.site.line) for event in step.events if event.kind == "backward" and event.site is not None]


def apart(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Steps with what is no model's marked so: data that a function of the program's differentiates by, and no step ever updates."""
    if not any(step.updated for step in steps):
        return tuple(steps)
    return tuple(replace(step, parameters=tuple(_data(step, p) for p in step.parameters)) for step in steps)


def _data(step: Step, parameter: Parameter) -> Parameter:
    """One whole argument, differentiated alone in a step without an update."""
    alone = len(step.parameters) == 1 and not step.updated and not parameter.optimizer and parameter.name.isidentifier()
    return replace(parameter, registered=False) if alone else parameter
