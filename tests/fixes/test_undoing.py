"""One of several changes is taken back, the others stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whygrad.fixes import undone
from whygrad.fixes.refusals import Refused

A = "one\ntwo\nthree\nfour\nfive\n"
LINES = st.lists(st.sampled_from(["a", "b", "c", "d", ""]), max_size=8).map(lambda lines: "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize(
    ("after", "text", "left"),
    [
        ("one\n2\nthree\nfour\nfive\n", "one\n2\nthree\nfour\n5\n", "one\ntwo\nthree\nfour\n5\n"),
        ("one\nnew\ntwo\nthree\nfour\nfive\n", "zero\none\nnew\ntwo\nthree\nfour\nfive\n", "zero\n" + A),
        ("one\nthree\nfour\nfive\n", "one\nthree\nfour\n", "one\ntwo\nthree\nfour\n"),
        ("two\nthree\nfour\nfive\n", "two\nthree\nfour\nfive\nsix\n", A + "six\n"),
    ],
    ids=["replaced", "put in", "taken out", "taken out at the top"],
)
def test_the_other_change_stays(after: str, text: str, left: str):
    assert undone(A, after, text) == left


def test_changes_of_one_line_are_told_apart_by_their_words():
    before, after = "loss = bce(sigmoid(h), y)\n", "loss = bce(h, y)\n"

    assert undone(before, after, "loss = bce(h, y.float())\n") == "loss = bce(sigmoid(h), y.float())\n"
    assert undone(after, "loss = bce(h, y.float())\n", "loss = bce(h.flatten(), y.float())\n") == "loss = bce(h.flatten(), y)\n"


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [("x = a\n", "x = b\n", "x = c\n"), ("loss = bce(sigmoid(h), y)\n", "loss = bce(h, y)\n", "loss = f(y)\n")],
    ids=["changed again", "gone"],
)
def test_changes_of_the_same_words_can_not_be_told_apart(before: str, after: str, text: str):
    with pytest.raises(Refused, match="same lines"):
        undone(before, after, text)


@given(LINES, LINES)
def test_the_only_change_taken_back_gives_the_text_as_it_was(before: str, after: str):
    assert undone(before, after, after) == before
