"""What is watched of steps that are not recorded: the loss."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.courses import CourseWatch
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow.building import Builder
from whygrad.frontends.tensorflow.scopes import is_tensor
from whygrad.ir import Birth, Course, Step

Place = tuple[str, int]
CLOSELY = 256
"""Steps of `fit` after which its loss is read less often: each reading takes about 30 µs, a small compiled step 1 ms."""
EVERY = 4
"""Steps whose losses are then read together, as their mean."""


class Symptoms:
    """Watches the losses of all steps."""

    def __init__(self) -> None:
        self.courses: dict[Place, CourseWatch] = {}
        self.explained: Mapping[int, tuple[Birth, ...]] = {}
        self._totals: dict[Place, tuple[float, float]] = {}
        self._waited: dict[Place, int] = {}

    def loss(self, target: Any, place: Place, step: int, trace: source.Trace | None, rate: float | None = None) -> bool:
        """Note a loss that is differentiated; True where it is the first of its place that is not finite."""
        if not is_tensor(target) or int(np.prod(target.shape)) != 1:
            return False
        return self._course(place, trace).add(float(np.asarray(target.numpy()).reshape(-1)[0]), step, rate)

    def running_loss(self, model: Any, place: Place, step: int, trace: source.Trace | None) -> bool:
        """Note the loss of a step of `fit`, from the mean that Keras keeps of the epoch."""
        self._waited[place] = self._waited.get(place, 0) + 1
        waited = self._waited[place]
        if step > CLOSELY and waited < EVERY:
            return False
        tracker = getattr(model, "_loss_tracker", None)
        if tracker is None:
            return False
        self._waited[place] = 0
        total, count = (float(_compat.read(getattr(kept, "_value", kept)).numpy()) for kept in (tracker.total, tracker.count))
        before = self._totals.get(place, (0.0, 0.0))
        before = before if count > before[1] else (0.0, 0.0)
        self._totals[place] = (total, count)
        course = self._course(place, trace)
        course.steps += waited - 1
        return course.add((total - before[0]) / (count - before[1]), step) if count > before[1] else False

    def _course(self, place: Place, trace: source.Trace | None) -> CourseWatch:
        if place not in self.courses:
            self.courses[place] = CourseWatch(trace)
        return self.courses[place]

    def with_births(self, step: Step) -> Step:
        """A recorded step with what was born in later ones that are like it."""
        return step

    def records(self, builder: Builder) -> tuple[Course, ...]:
        """The neutral record of each course."""
        return tuple(course.record(builder.site(course.trace)) for course in self.courses.values() if course.steps)
