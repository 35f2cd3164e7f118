"""What proves a fix: two runs, measured by one loss on one batch."""

import math

import pytest

from whygrad.ir import Course, Follow, Trial
from whygrad.proving import Likened, further, likened, lower, no_further, unproved_by


def pair(before: dict[int, float], after: dict[int, float], start: float = 1.0) -> Likened:
    """Two runs from one start."""
    return Likened(start, before, after)


def trial(loss: float | None, reason: str = "", **figures: float) -> Trial:
    """A run that was followed; `at2=0.5` for a loss of 0.5 when two losses had been seen."""
    return Trial(Follow("x"), loss=loss, reason=reason, figures={name.removeprefix("at"): value for name, value in figures.items()})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({2: 1.0, 4: 1.0}, {2: 0.9, 4: 0.4}),
        ({}, {2: 0.99}),
        ({2: 1.5}, {2: 0.9, 4: 0.8}),
        ({2: math.nan}, {2: 0.9}),
        ({2: math.inf}, {2: 0.9}),
        ({2: 1.0, 4: 0.9, 8: 0.1}, {2: 0.5, 4: 0.1, 8: 0.1}),
    ],
    ids=["stands still", "never ran", "rises", "is no number", "runs away", "gets there later"],
)
def test_a_program_that_gets_further_than_it_did_is_proof(before: dict[int, float], after: dict[int, float]):
    assert further(pair(before, after))
    assert unproved_by(pair(before, after)) == ""


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({2: 0.5, 4: 0.1}, {2: 0.5, 4: 0.1}, "learns as well as it stands"),
        ({2: 0.5, 4: 0.1}, {2: 0.5, 4: 0.3}, "learns as well as it stands"),
        ({2: 0.2, 4: 0.1}, {2: 0.5, 4: 0.099}, "learns as well as it stands"),
        ({}, {2: 1.0}, "does not fall"),
        ({}, {2: 0.9, 4: 1.2}, "does not fall"),
        ({}, {2: math.nan}, "does not fall"),
        ({2: math.nan}, {2: math.nan}, "does not fall"),
    ],
)
def test_anything_less_is_no_proof(before: dict[int, float], after: dict[int, float], words: str):
    assert not further(pair(before, after))
    assert words in unproved_by(pair(before, after))


def test_a_fault_beside_training_is_proved_gone_where_the_program_learns_no_worse():
    assert unproved_by(pair({2: 0.5, 4: 0.1}, {2: 0.5, 4: 0.11}), beside=True) == ""
    assert "learns as well" in unproved_by(pair({2: 0.5, 4: 0.1}, {2: 0.5, 4: 0.3}), beside=True)
    assert "does not fall" in unproved_by(pair({2: 1.0, 4: 1.0}, {2: 1.0, 4: 1.0}), beside=True)
    assert "does not fall" in unproved_by(pair({2: math.nan}, {2: math.nan}), beside=True)


def test_a_negative_loss_falls_as_any_other():
    assert further(pair({4: -1.0}, {4: -3.0}, start=-1.0))
    assert not further(pair({4: -3.0}, {4: -1.0}, start=-1.0))


def test_a_run_that_ended_early_stays_where_it_ended():
    found = pair({2: 0.7}, {2: 0.8, 8: 0.6})

    assert found.last == (0.7, 0.6)
    assert found.at(found.before, 1) == 1.0


@pytest.mark.parametrize(
    ("before", "after", "ran", "first", "words"),
    [
        (None, trial(1.0, at2=0.5), True, (), "could not be looked at again"),
        (trial(1.0, "a value that the step needs is gone"), trial(1.0, at2=0.5), True, (), "is gone"),
        (trial(1.0), trial(1.0, at2=0.5), True, (), "could not be kept"),
        (trial(1.0, at2=0.9), trial(1.0), True, (), "could not be kept"),
        (trial(math.nan, at2=0.9), trial(math.nan, at2=0.5), True, (), "no number"),
        (trial(0.0, at2=0.9), trial(0.0, at2=0.5), True, (), "zero"),
        (trial(1.0, at2=0.9), trial(1.0, at2=0.5), True, (1.1, 0.9), "other numbers in each run"),
    ],
)
def test_where_nothing_can_be_compared_the_reason_is_given(
    before: Trial | None, after: Trial | None, ran: bool, first: tuple[float, ...], words: str
):
    assert words in likened(before, after, ran=ran, first=first).reason


def test_a_program_that_never_took_a_step_stays_at_its_start():
    found = likened(trial(1.0), trial(1.0, at2=0.9), ran=False, first=(0.3, 1.0))

    assert (found.reason, found.last) == ("", (1.0, 0.9))


def test_a_loss_that_falls_without_the_way_that_the_fix_closes_is_proof():
    found = pair({2: 0.01}, {2: 0.3})
    assert unproved_by(found, beside=True)
    assert unproved_by(found, beside=True, closes=True) == ""
    assert "without what let the loss fall" in no_further(found)
    assert "does not fall" in unproved_by(pair({2: 0.01}, {2: 1.0}), closes=True)


def course(*curve: float, noise: float = 0.0, start: float = 1.0) -> Course:
    """A run of as many steps as losses are given."""
    return Course(steps=len(curve), start=start, noise=noise, curve=curve)


def test_runs_of_one_loss_are_told_apart_by_their_own_ends():
    stands, falls = course(1.0, 0.9, 0.8, 0.7), course(1.0, 0.8, 0.6, 0.4)
    assert lower(stands, falls)
    assert not lower(falls, stands)
    assert not lower(stands, stands)


@pytest.mark.parametrize(
    "other",
    [
        None,
        course(0.8, 0.6, 0.4, start=0.8),
        course(1.0, 0.8, 0.6),
        course(1.0, 0.8, 0.6, 0.4, noise=0.2),
        course(1.0, 0.8, 0.6, math.nan),
        course(),
    ],
    ids=["unseen", "from another start", "of fewer steps", "no further apart than single losses", "ends with no number", "never ran"],
)
def test_other_ends_tell_nothing(other: Course | None):
    assert not lower(course(1.0, 0.9, 0.8, 0.7), other)
