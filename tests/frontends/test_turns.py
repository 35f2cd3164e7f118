"""Iterators that a loop's first turn empties, found in frames of programs as users write them."""

import time
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from whygrad.frontends.source import Sources
from whygrad.frontends.turns import Turns

PLAIN = """
    EPOCHS = 4

    def batches():
        for number in range(3):
            yield number

    def main():
        found = batches()
        for epoch in range(EPOCHS):
            for batch in found:
                step()

    main()
"""
APART = """
    class Setting:
        epochs = 2

    setting = Setting()
    setting.epochs = 3

    def train(data):
        total = 0
        for number, batch in enumerate(data):
            step()
        return total

    pairs = zip([1, 2], [3, 4])
    for epoch in range(1, setting.epochs + 1):
        train(pairs)
"""


def watched(tmp_path: Path, text: str) -> tuple[Any, ...]:
    """What is found of a program whose steps are calls of `step`."""
    file = tmp_path / "train.py"
    file.write_text(dedent(text))
    turns = Turns(Sources(time.time() + 1))

    def step() -> None:
        import sys

        frame = sys._getframe(1)
        turns.look(frame)

    exec(compile(file.read_text(), str(file), "exec"), {"step": step, "__name__": "__main__"})
    return turns.emptied()


def test_a_generator_made_before_the_epochs_is_found_with_its_lines(tmp_path: Path) -> None:
    (found,) = watched(tmp_path, PLAIN)

    assert (found.name, found.type, found.turns) == ("found", "generator", 4)
    assert [site.line for site in (found.site, found.loop, found.body, found.read)] == [9, 10, 11, 11]
    assert found.site.text.strip() == "found = batches()"


def test_an_iterator_that_a_function_is_given_is_found_where_it_was_made(tmp_path: Path) -> None:
    (found,) = watched(tmp_path, APART)

    assert (found.name, found.type, found.turns) == ("pairs", "zip", 3)
    assert [site.line for site in (found.site, found.loop, found.body, found.read)] == [14, 15, 16, 10]


SILENT = {
    "made in each turn": PLAIN.replace("for epoch in range(EPOCHS):", "for epoch in range(EPOCHS):\n            found = batches()"),
    "a list": PLAIN.replace("found = batches()", "found = list(batches())"),
    "one turn": PLAIN.replace("EPOCHS = 4", "EPOCHS = 1"),
    "the inner loop leaves early": PLAIN.replace("step()", "step()\n                break"),
    "the outer loop leaves early": PLAIN.replace("step()", "step()\n            if epoch > 1:\n                break"),
    "the function returns from the loop": PLAIN.replace("step()", "step()\n            return"),
    "the program may end in the loop": PLAIN.replace("step()", "step()\n            if epoch > 7:\n                raise SystemExit"),
    "made anew behind a condition": PLAIN.replace("step()", "step()\n            found = batches()"),
    "steps in later turns too": PLAIN.replace("            for batch in found:\n                step()", "            for batch in found:\n                step()\n            step()"),
    "turns that can't be counted": PLAIN.replace("range(EPOCHS)", "iter([1, 2])"),
    "no loop around it": PLAIN.replace("for epoch in range(EPOCHS):", "if EPOCHS:"),
    "given anew in each turn": APART.replace("train(pairs)", "train(zip([1], [2]))"),
}  # fmt: skip


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_nothing_is_found_where(tmp_path: Path, text: str) -> None:
    assert watched(tmp_path, text) == ()


def test_a_break_of_a_loop_within_does_not_leave_the_outer_one(tmp_path: Path) -> None:
    text = PLAIN.replace("step()", "step()\n            for other in (1, 2):\n                break")

    assert len(watched(tmp_path, text)) == 1
