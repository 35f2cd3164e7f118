"""Which schedules can be asked for a rate: the user's own run as often as without whygrad, unless they do nothing but reckon."""

from collections.abc import Callable
from math import cos

import pytest

from whygrad.frontends.keras_words import reckons

heard: list[float] = []


def cooled(step: float) -> float:
    return cos(step)


def told(step: float) -> float:
    heard.append(step)
    return step


class Cosine:
    def __init__(self, peak: float) -> None:
        self.peak = peak

    def __call__(self, step: float) -> float:
        warm = step / 10
        return self.peak * min(warm, cooled(step)) * self.part(step)

    def part(self, step: float) -> float:
        return max(0.0, 1 - step / 100)


class Counting(Cosine):
    def __call__(self, step: float) -> float:
        self.peak += 1
        return super().__call__(step)


class Printing(Cosine):
    def __call__(self, step: float) -> float:
        print(step)  # noqa: T201 - what such a schedule does
        return 0.1


class Listing(Cosine):
    def __call__(self, step: float) -> float:
        return told(step)


class Within(Cosine):
    def part(self, step: float) -> float:
        self.last = step
        return step


class Remembering(Cosine):
    def __call__(self, step: float) -> float:
        return sum(self.keep(at) for at in (step,))

    def keep(self, step: float) -> float:
        return heard.pop() + step


class Keras:
    __module__ = "keras.src.optimizers.schedules.learning_rate_schedule"

    def __call__(self, step: float) -> float:
        self.step = step
        return step


def counter() -> Callable[[], float]:
    count = 0

    def rate() -> float:
        nonlocal count
        count += 1
        return 0.1 / count

    return rate


@pytest.mark.parametrize("schedule", [Cosine(0.1), Keras(), lambda: 0.1, cooled], ids=["calls its own", "Keras'", "a lambda", "a function"])
def test_what_only_reckons_can_be_asked(schedule: object) -> None:
    assert reckons(schedule)


@pytest.mark.parametrize(
    "schedule",
    [Counting(1), Printing(1), Listing(1), Within(1), Remembering(1), counter(), told, len, object()],
    ids=["counts", "prints", "appends", "stores elsewhere", "in a nested function", "a cell", "a function", "built in", "no function"],
)
def test_what_stores_or_tells_is_left_alone(schedule: object) -> None:
    assert not reckons(schedule)
