"""Descents with ReLUs put in, by the time that they take."""

import time

import pytest

from whygrad.frontends.descents import bent
from whygrad.ir import Descend


def _busy(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


@pytest.mark.parametrize(
    ("first", "compiling", "later", "refused"), [(0.05, 0.2, 0.0, False), (0.05, 0.0, 0.0, True), (0.0, 0.2, 0.05, True)]
)
def test_the_first_descent_may_compile_and_no_other(first: float, compiling: float, later: float, refused: bool) -> None:
    taken: list[float] = [first, later, later, later]

    def losses(change: Descend | None, permuted: bool) -> tuple[float, ...]:
        _busy(taken.pop(0))
        return (1.0, 0.5)

    trial = bent(Descend(2, activate=("a",)), losses, 0.02, compiling)

    assert bool(trial.reason) is refused
