"""Which kinds of step more recorded steps are wanted of."""

from whygrad.frontends.kinds import MOST_BEGUN, MOST_CHANGES, Kinds


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


def test_a_step_that_has_changed_is_of_another_kind_and_those_before_are_waited_for_no_longer():
    kinds = Kinds(2)
    first = kinds.kind(["Adam"], ["train.py:3"])
    kinds.recorded(first)
    kinds.changed()
    second = kinds.kind(["Adam"], ["train.py:3"])

    assert kinds.armed
    assert second != first
    for _ in range(2):
        assert not kinds.complete
        assert kinds.wants(second)
        kinds.recorded(second)
    assert kinds.complete


def test_a_program_that_changes_for_ever_is_not_recorded_for_ever():
    kinds = Kinds(1)
    for _ in range(2 * MOST_CHANGES):
        kinds.changed()

    assert kinds.kind([], []) == 0
    assert [kinds.kind([], []) for _ in range(3)] == [0, 0, 0]
