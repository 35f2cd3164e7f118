"""A rule's own measured precision, in words."""

import pytest

from whygrad.diagnosis import Rule
from whygrad.judging import all_rules
from whygrad.reports.accuracy import Accuracy, Score, accuracy, sentence
from whygrad.reports.catalogue import page

ONE = Accuracy(10, 6, 1, {"WG101": Score(faulty=4, found=3, spoke=4, right=3)})
OTHER = Accuracy(5, 3, 0, {"WG101": Score(faulty=1, found=1, spoke=1, right=1), "WG102": Score(faulty=0, found=0, spoke=2, right=2)})


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("WG101", "it spoke 5 times, rightly 4 times (precision 80 %); of 5 with this fault it found 4."),
        ("WG102", "it spoke 2 times, rightly 2 times (precision 100 %); none of them has this fault alone."),
        ("WG103", "it did not speak, and none of them has this fault."),
    ],
)
def test_the_figures_of_all_frameworks_are_added_up(code, words):
    assert sentence(code, (ONE, OTHER)) == f"Measured on 15 programs of the accuracy corpus, 9 of them sound: {words}"


def test_the_stored_figures_are_of_rules_that_exist():
    known = {rule.code for rule in all_rules()[0]}

    assert accuracy()
    for measured in accuracy():
        assert set(measured.rules) <= known | {"WG601", "WG602", "WG603", "WG604", "WG605", "WG606", "WG607", "WG706"}
        assert measured.sound < measured.programs


def test_a_rules_page_shows_its_own_figures():
    rule = next(rule for rule in all_rules()[0] if rule.code == "WG101")

    assert "programs of the accuracy corpus" in page(rule)


def test_a_rule_of_another_package_was_not_measured():
    foreign = Rule("LAB01", "frozen-norms", "note", "Scales are frozen.", lambda _: iter(()))

    assert "accuracy corpus" not in page(foreign)
    assert "A rule of the package `" in page(foreign)
