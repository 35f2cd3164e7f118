"""WG207 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.loss.binary_loss_for_classes import diagnose

SOFT = """
    x: input f32[32,8]
    y: label f32[32,5] minimum=0.0 maximum=1.0 whole=1.0 row_sums=[1.0,1.0]
    w: parameter f32[5,8]
    s: activation f32[32,5]
    p: activation f32[32,5]
    s = linear x w @ "a.py":3
    p = softmax s with={"axis":1} @ "a.py":4
    loss = binary_cross_entropy p y with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""

FIRES = {
    "five classes": (SOFT, 5),
    "the last axis": (SOFT.replace('"axis":1', '"axis":-1'), 5),
    "after a cast": (
        SOFT.replace("loss = binary_cross_entropy p", "c = cast p\n    loss = binary_cross_entropy c").replace(
            "    s = linear", "    c: activation f32[32,5]\n    s = linear"
        ),
        5,
    ),
    "scores from behind the softmax, as Keras takes them": (
        SOFT.replace('binary_cross_entropy p y with={"target":1}', 'bce_with_logits s y with={"target":1,"given":"p"}'),
        5,
    ),
    "three classes": (SOFT.replace("32,5", "32,3").replace("f32[5,8]", "f32[3,8]"), 5),
}

SILENT = {
    "two classes": SOFT.replace("32,5", "32,2").replace("f32[5,8]", "f32[2,8]"),
    "several classes at once": SOFT.replace("row_sums=[1.0,1.0]", "row_sums=[0.0,3.0]"),
    "sigmoids": SOFT.replace("softmax s", "sigmoid s"),
    "soft labels": SOFT.replace("whole=1.0", "whole=0.0"),
    "logits (WG205)": SOFT.replace("binary_cross_entropy", "bce_with_logits"),
    "sums unknown": SOFT.replace(" row_sums=[1.0,1.0]", ""),
    "over the batch (WG211)": SOFT.replace('"axis":1', '"axis":0'),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_a_binary_loss_over_exclusive_classes(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
