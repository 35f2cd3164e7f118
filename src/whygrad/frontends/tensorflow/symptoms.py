"""What is watched of steps that are not recorded: the loss."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.courses import CourseWatch
from whygrad.frontends.tensorflow.building import Builder
from whygrad.frontends.tensorflow.scopes import is_tensor
from whygrad.ir import Birth, Course, Step

Place = tuple[str, int]


class Symptoms:
    """Watches the losses of all steps."""

    def __init__(self) -> None:
        self.courses: dict[Place, CourseWatch] = {}
        self.explained: Mapping[int, tuple[Birth, ...]] = {}
        self._totals: dict[Place, tuple[float, float]] = {}

    def loss(self, target: Any, place: Place, step: int, trace: source.Trace | None, rate: float | None = None) -> bool:
        """Note a loss that is differentiated; True where it is the first of its place that is not finite."""
        if not is_tensor(target) or int(np.prod(target.shape)) != 1:
            return False
        return self._course(place, trace).add(float(np.asarray(target.numpy()).reshape(-1)[0]), step, rate)

    def running_loss(self, model: Any, place: Place, step: int, trace: source.Trace | None) -> bool:
        """Note the loss of a step of `fit`, from the mean that Keras keeps of the epoch."""
        tracker = getattr(model, "_loss_tracker", None)
        if tracker is None:
            return False
        total, count = float(tracker.total.numpy()), float(tracker.count.numpy())
        before = self._totals.get(place, (0.0, 0.0))
        if count <= before[1]:
            before = (0.0, 0.0)
        self._totals[place] = (total, count)
        return self._course(place, trace).add((total - before[0]) / max(count - before[1], 1e-30), step) if count > before[1] else False

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
