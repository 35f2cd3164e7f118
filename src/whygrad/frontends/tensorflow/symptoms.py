"""What is watched of steps that are not recorded: the loss."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.courses import CourseWatch
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow.building import Builder
from whygrad.frontends.tensorflow.scopes import is_tensor
from whygrad.frontends.tensorflow.watching import ParameterWatch
from whygrad.frontends.trajectories import Trajectory
from whygrad.ir import Course

Place = tuple[str, int]
CLOSELY = 64
"""Steps of `fit` after which its loss is read less often: each reading takes about 30 µs, a small compiled step 1 ms."""
EVERY = 4
"""Steps whose losses are then read together, as their mean."""


class Symptoms:
    """Watches the losses of all steps."""

    def __init__(self, watch: ParameterWatch, trajectory: str) -> None:
        self.watch = watch
        self.trajectory = Trajectory(trajectory)
        self.courses: dict[Place, CourseWatch] = {}
        self._totals: dict[Place, tuple[float, float]] = {}
        self._waited: dict[Place, int] = {}

    def loss(
        self,
        target: Any,
        place: Place,
        step: int,
        trace: source.Trace | None,
        rate: float | None = None,
        *,
        after: bool = False,
        recorded: bool = False,
    ) -> bool:
        """Note a loss that is differentiated; True where it is the first of its place that is not finite. `after`: its update is made already.

        Of several numbers a tape differentiates the sum; between recorded steps only where a recorded one has shown that it did so by parameters.
        """
        single = is_tensor(target) and int(np.prod(target.shape)) == 1
        if not single and not (is_tensor(target) and target.dtype.is_floating and (recorded or place in self.courses)):
            return False
        self.trajectory.loss_seen(self.watch.living, step + 1 + after)
        return self._course(place, trace).add(float(np.sum(np.asarray(target.numpy(), dtype="float64"))), step, rate)

    def running_loss(self, model: Any, logs: Any, place: Place, step: int, trace: source.Trace | None, rate: float | None = None) -> bool:
        """Note the loss of a step of `fit`, from the mean that Keras keeps of the epoch; True for the first that is not finite."""
        self.trajectory.loss_seen(self.watch.living, step + 2)  # this one's update is made already
        self._waited[place] = self._waited.get(place, 0) + 1
        tracker = getattr(model, "_loss_tracker", None)
        if tracker is None or not finite(logs):
            return not finite(logs) and self._course(place, trace).add(math.nan, step)
        if step > CLOSELY and self._waited[place] < EVERY:
            return False
        return self._mean(tracker, place, step, trace, rate)

    def _mean(self, tracker: Any, place: Place, step: int, trace: source.Trace | None, rate: float | None) -> bool:
        waited, self._waited[place] = self._waited[place], 0
        total, count = (float(_compat.read(getattr(kept, "_value", kept)).numpy()) for kept in (tracker.total, tracker.count))
        before = self._totals.get(place, (0.0, 0.0))
        before = before if count > before[1] else (0.0, 0.0)
        self._totals[place] = (total, count)
        course = self._course(place, trace)
        if count <= before[1]:
            course.steps += waited - 1
            return False
        return course.add((total - before[0]) / (count - before[1]), step, rate, waited)

    def _course(self, place: Place, trace: source.Trace | None) -> CourseWatch:
        if place not in self.courses:
            self.courses[place] = CourseWatch(trace)
        return self.courses[place]

    def records(self, builder: Builder) -> tuple[Course, ...]:
        """The neutral record of each course."""
        return tuple(course.record(builder.site(course.trace)) for course in self.courses.values() if course.steps)


def finite(logs: Any) -> bool:
    """No loss that a step has logged is known to be NaN or infinite: they are there already, and looking costs a microsecond."""
    losses = [item for name, item in logs.items() if "loss" in str(name)] if isinstance(logs, Mapping) else []
    return all(math.isfinite(number) for item in losses if (number := _compat.number(item)) is not None)
