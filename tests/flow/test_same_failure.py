"""One refusal, told by the step that was looked at and by the program's end, is one failure."""

import pytest

from sketch import sketch
from whygrad.flow.failures import failures

TWICE = """
    raised type="ValueError" message="{end}" @ "train.py":8
    x: input f32[8,8]
    ! exception with={{"type":"ValueError","message":"{looked}"}}
"""
SYMBOLIC = "Invalid input shape for input Tensor(data:0, shape=(8, 8)) with name 'x'."


@pytest.mark.parametrize(
    ("looked", "end", "count"),
    [
        ("Invalid input shape for input [[0.91 0.66 0.07]", SYMBOLIC, 1),
        ("expected axis -1 to have value 3, received shape (8, 4)", "expected axis -1 to have value 3, received shape (None, 4)", 1),
        ("Invalid dtype: str", SYMBOLIC, 2),
    ],
)
def test_it_is_told_once(looked, end, count):
    found = failures(sketch(TWICE.format(looked=looked, end=end)))

    assert len(found) == count
    assert found[-1].site is not None
