"""Which kinds of step more recorded steps are wanted of."""

from whygrad.frontends.kinds import MOST_BEGUN, Kinds


def test_a_training_that_begins_later_is_looked_at_once():
    kinds = Kinds(1)
    kinds.recorded(kinds.kind(["Adam"], ["train.py:3"]))
    assert kinds.complete

    kinds.begins("another call of fit")
    assert kinds.armed

    kinds.armed = False
    kinds.begins("another call of fit")
    assert not kinds.armed


def test_a_program_that_makes_its_step_anew_in_each_turn_is_not_looked_at_for_ever():
    kinds = Kinds(1)
    armed = []
    for turn in range(2 * MOST_BEGUN):
        kinds.begins(turn)
        armed.append(kinds.armed)
        kinds.armed = False

    assert armed == [True] * MOST_BEGUN + [False] * MOST_BEGUN
