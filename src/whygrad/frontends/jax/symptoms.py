"""What is watched of all steps, recorded or not: the loss, and what became of the parameters."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.arrays import numbers, sample_of
from whygrad.frontends.courses import CourseWatch
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.assembly import SNAPSHOT, Snapshot, compared
from whygrad.frontends.jax.building import Builder
from whygrad.frontends.jax.derivations import Asked, arguments_of
from whygrad.frontends.jax.evaluation import deleted
from whygrad.frontends.jax.inputs import parameters_of
from whygrad.frontends.jax.plans import Plan
from whygrad.frontends.jax.returns import Returns
from whygrad.frontends.jax.tape import Numbers
from whygrad.frontends.trajectories import Trajectory
from whygrad.ir import Course, Ending

LATE = 8
"""Losses that may be on their way: reading them earlier could make the program wait for its device."""


class Symptoms:
    """Watches losses and parameters of all steps."""

    def __init__(self, trajectory: str) -> None:
        self.trajectory = Trajectory(trajectory)
        self.courses: dict[object, CourseWatch] = {}
        self.first: dict[str, Snapshot] = {}
        """Parameters as they were first seen."""
        self.changed: set[str] = set()
        self.gradient_seen: set[str] = set()
        self.frozen: set[str] = set()
        self.unkept: set[str] = set()
        """What a jitted step hands out anew and its caller drops: the next step is given the old one."""
        self.asked: Asked | None = None
        """The last derivative that was asked for in a step that is not recorded."""
        self.given: Mapping[str, Any] = {}
        """The parameters that the last jitted derivative was given, where they are updated outside of it."""
        self.returned: tuple[Plan, Sequence[Any]] | None = None
        """What a jitted step has handed out last."""
        self.again = Returns()
        self.non_finite: int | None = None
        """Number of the first step whose loss was not finite, and had not run away before."""
        self._arriving: deque[tuple[CourseWatch, Any, int, float | None]] = deque()

    def loss(self, trace: source.Trace | None, loss: Any, step: int, rate: float | None) -> None:
        """A step's loss, read when it has surely arrived."""
        if loss is None or _compat.is_tracer(loss) or getattr(loss, "size", 1) != 1:
            return
        course = self.courses.setdefault(trace.user if trace is not None else None, CourseWatch(trace))
        self._arriving.append((course, loss, step, rate))
        while self._arriving and (len(self._arriving) > LATE or _there(self._arriving[0][1])):
            self._read()

    def _read(self) -> None:
        course, loss, step, rate = self._arriving.popleft()
        if not deleted(loss):
            first = course.add(float(np.asarray(loss).astype(np.float64).reshape(())), step, rate)
            self.non_finite = step if first and self.non_finite is None and not course.ran_away else self.non_finite

    def arrived(self) -> None:
        """Read all losses."""
        while self._arriving:
            self._read()

    def records(self, builder: Builder) -> tuple[Course, ...]:
        """How each loss went."""
        return tuple(course.record(builder.site(course.trace)) for course in self.courses.values())

    def was_asked(self, asked: Asked, step: int) -> None:
        """A derivative was asked for in a step that is not recorded."""
        self.asked = asked
        self.trajectory.loss_seen(self.readable, step + 1)

    def has_returned(self, plan: Plan, outputs: Sequence[Any], step: int) -> None:
        """A jitted step has returned, with the parameters of the next one, or with none where they are updated outside of it."""
        self.returned = (plan, outputs)
        self.again.returned(plan, outputs)
        handed = bool(plan.results or plan.ends)
        self.given, plan.given = {} if handed else parameters_of(plan, plan.given), ()
        self.trajectory.loss_seen(self.readable, step + 1 + handed)

    def readable(self) -> dict[str, Any]:
        """The parameters as they were last seen, as far as they can be read."""
        return {name: item for name, item in self._last().items() if not _compat.is_tracer(item) and not deleted(item)}

    def met(self, snapshots: Mapping[str, Snapshot]) -> None:
        """Parameters of a recorded step."""
        for name, snapshot in snapshots.items():
            self.first.setdefault(name, snapshot)

    def endings(self) -> dict[str, Ending]:
        """What became of each parameter."""
        self.trajectory.ended(self.readable, updated=False)
        last = self._last()
        for name, before in self.first.items():
            moved = compared(before, last.get(name)) if name in last and not _compat.is_tracer(last[name]) else None
            if moved is not None and moved[1] > 0:
                self.changed.add(name)
        spoilt = {name for name, item in self.readable().items() if not _finite(item)}
        return {name: Ending(name in self.changed, name in self.gradient_seen - self.frozen, name not in spoilt) for name in self.first}

    def _last(self) -> dict[str, Any]:
        """The parameters as they were last seen."""
        found: dict[str, Any] = {}
        if self.asked is not None:
            asked, numbers = self.asked, Numbers()
            arguments = arguments_of(asked, numbers)
            found.update({item.path: numbers.objects[item.number] for item in arguments if item.differentiated})
        found.update(self.given)
        if self.returned is not None:
            plan, outputs = self.returned
            made = {**plan.results, **plan.ends}
            found.update({name: outputs[at] for name, at in made.items() if at < len(outputs) and name not in self.unkept})
        return found


def _there(loss: Any) -> bool:
    """It can be read without waiting."""
    asked = getattr(loss, "is_ready", None)
    return asked is None or deleted(loss) or bool(asked())


def _finite(item: Any) -> bool:
    """Every number of an even sample of a parameter is finite."""
    found = numbers(item)
    return found is None or bool(np.isfinite(sample_of(found, SNAPSHOT)).all())
