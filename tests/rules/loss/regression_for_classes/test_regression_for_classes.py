"""WG213 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.loss.regression_for_classes import diagnose

SOIL = """
    x: input f32[36,10]
    y: label i64[36]
    t: activation f32[36] minimum=0 maximum=5 mean=2.5 std=1.74 whole=1.0 distinct=6
    w: parameter f32[1,10]
    p: activation f32[36]
    p = linear x w @ "a.py":3
    t = cast y @ "a.py":4
    loss = mse_loss p t with={"target":1} @ "a.py":4
    labels values=["y"] how="target"
"""

LETTERS = """
    ids: input i64[32,21]
    i: activation i64[32,20]
    y: label i64[32,20]
    t: activation f32[32,20] minimum=0 maximum=25 mean=9.0 std=4.0 whole=1.0 distinct=22
    e: parameter f32[26,8]
    w: parameter f32[1,8]
    h: activation f32[32,20,8]
    o: activation f32[32,20,1]
    p: activation f32[32,20]
    i = index ids
    y = index ids
    h = embedding i e @ "a.py":2
    o = linear h w @ "a.py":3
    p = reshape o
    t = cast y @ "a.py":4
    loss = l1_loss p t with={"target":1} @ "a.py":4
    labels values=["y"] how="target"
"""

FLOATING = SOIL.replace("y: label i64", "y: label f32")
FITTED = '    fit inputs=["x"] labels=["y"] rows=512 better=0.4 told=0.95\n'

FIRES = {
    "floating numbers that were measured to have no order": (FITTED + FLOATING, 4),
    "classes of soil": (SOIL, 4),
    "an absolute error": (SOIL.replace("mse_loss", "l1_loss"), 4),
    "a Huber loss": (SOIL.replace("mse_loss", "huber_loss"), 4),
    "letters that an embedding reads": (LETTERS, 4),
}

SILENT = {
    "counts": SOIL.replace("mean=2.5 std=1.74", "mean=0.9 std=1.0"),
    "ratings from 1": SOIL.replace("minimum=0 maximum=5 mean=2.5", "minimum=1 maximum=6 mean=3.5"),
    "made as floats": SOIL.replace("y: label i64", "y: label f32"),
    "floating numbers with an order": FITTED.replace("better=0.4", "better=0.02") + FLOATING,
    "floating numbers that the inputs do not tell": FITTED.replace("told=0.95", "told=0.4") + FLOATING,
    "other labels than those that were fitted": FITTED.replace('labels=["y"]', 'labels=["z"]') + FLOATING,
    "yes or no": SOIL.replace("maximum=5 mean=2.5 std=1.74", "maximum=1 mean=0.5 std=0.5").replace("distinct=6", "distinct=2"),
    "gaps": SOIL.replace("distinct=6", "distinct=4"),
    "a few labels": SOIL.replace("[36", "[12"),
    "computed": SOIL.replace("    t = cast y", "    y = sum x\n    t = cast y"),
    "a cross-entropy": SOIL.replace("mse_loss", "cross_entropy"),
    "not whole": SOIL.replace("whole=1.0", "whole=0.7"),
    "one-hot rows": SOIL.replace("t: activation f32[36] ", "t: activation f32[36,6] "),
    "NaN": SOIL.replace("minimum=0 maximum=5", 'finite=0.5 minimum=0 maximum="nan"'),
    "quantities of tokens": LETTERS.replace("y = index ids", "z = index ids"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_ids_as_quantities(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize(
    ("label", "ids"),
    [('y: label i64[36] called="kinds"', "kinds"), ('y: label i64[36] called="self.y[i]"', "self.y[i]")],
)
def test_the_ids_are_advised_as_they_were_before_they_were_made_floating(label: str, ids: str) -> None:
    (diagnosis,) = said(diagnose, SOIL.replace("y: label i64[36]", label))

    assert f", {ids}.long())`" in diagnosis.help
