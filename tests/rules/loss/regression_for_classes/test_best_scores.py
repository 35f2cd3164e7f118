"""WG213 where the largest score is compared with the number of the class."""

import pytest

from sketch import said
from whygrad.rules.loss.regression_for_classes import diagnose

WINNER = """
    x: input f32[36,10]
    y: label i64[36] called="labels"
    t: activation f32[36] minimum=0 maximum=2 mean=0.6 std=0.5 whole=1.0 distinct=3
    w: parameter f32[3,10]
    s: activation f32[36,3]
    p: activation f32[36]
    s = linear x w @ "a.py":3
    p = max s with={"axis":1} @ "a.py":4
    t = cast y @ "a.py":5
    loss = mse_loss p t with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""
SILENT = {
    "more scores than ids": WINNER.replace("f32[3,10]", "f32[9,10]").replace("s: activation f32[36,3]", "s: activation f32[36,9]"),
    "numbers with fractions": WINNER.replace("y: label i64", "y: label f32").replace("whole=1.0", "whole=0.2"),
    "the largest of all": WINNER.replace("p: activation f32[36]", "p: activation f32[]"),
    "a pooling that no layer stands before": WINNER.replace("s = linear x w", "h = linear x w\n    s = mul h h"),
    "scores for a yes or no": WINNER.replace("f32[3,10]", "f32[2,10]")
    .replace("s: activation f32[36,3]", "s: activation f32[36,2]")
    .replace("maximum=2", "maximum=1"),
    "what the model itself makes": WINNER.replace("t = cast y", "q = linear x w\n    t = argmax q"),
}


def test_the_line_of_the_loss() -> None:
    (found,) = said(diagnose, WINNER)

    assert found.site is not None
    assert (found.rule, found.confidence, found.site.line) == ("WG213", "suspected", 5)
    assert [place.site.line for place in found.related] == [4]
    assert "largest score" in found.message


def test_it_is_told_once_where_the_ids_are_equally_frequent_too() -> None:
    assert len(said(diagnose, WINNER.replace("mean=0.6 std=0.5", "mean=1.0 std=0.82"))) == 1


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
