"""The part of WG203 on shapes that are refused: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.loss.broadcast_loss import diagnose

BY_HAND = """
    x: input f32[16,4]
    y: label f32[16]
    w: parameter f32[2,4]
    s: activation f32[16,2]
    s = linear x w @ "model.py":8
    = sub s y failed=true @ "train.py":21
    ! exception with={"type":"RuntimeError","message":"The size of tensor a (2) must match the size of tensor b (16)"}
    labels values=["y"] how="operand"
"""
LOSS = BY_HAND.replace("= sub s y failed=true", '= mse_loss s y failed=true with={"target":1}')

FIRES = {
    "a difference that the program takes itself": (BY_HAND, "one number"),
    "the other way round": (BY_HAND.replace("sub s y", "sub y s"), "one number"),
    "rows of two widths": (LOSS.replace("label f32[16]", "label f32[16,3]"), "[3]"),
    "sequences against vectors": (
        BY_HAND.replace("label f32[16]", "label f32[16,7]").replace("s: activation f32[16,2]", "s: activation f32[16,5,2]"),
        "[7]",
    ),
}
SILENT = {
    "it did not raise": BY_HAND.replace("= sub s y failed=true", "d = sub s y"),
    "a parameter is added in the model": BY_HAND.replace("y: label f32[16]", "y: parameter f32[16]").replace('labels values=["y"] how="operand"', ""),
    "an input that passes the layers by": BY_HAND.replace("y: label", "y: input").replace('labels values=["y"] how="operand"', ""),
    "another number of rows, which is WG209's": BY_HAND.replace("label f32[16]", "label f32[12,2]"),
    "class ids in a loss, which is WG201's": LOSS.replace("label f32[16]", "label f32[16] whole=1.0 minimum=0.0 maximum=1.0"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "row"), FIRES.values(), ids=FIRES)
def test_the_call_that_raised_is_named(text: str, row: str) -> None:
    (found,) = said(diagnose, text)

    assert found.site is not None
    assert (found.site.line, found.severity, Fact("exception", "RuntimeError") in found.explains) == (21, "error", True)
    assert f"one of `y` is {row}" in found.evidence[0].statement


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert said(diagnose, text) == []
