"""WG308 on sketches of several losses, of which some are never differentiated."""

import pytest

from sketch import said
from whygrad.rules.graph.discarded_result import diagnose

OVERWRITTEN = """
    ending trunk.w changed=true gradient_seen=true
    ending size.w changed=false gradient_seen=false
    optimizer opt native="SGD" steps=2 rates=[0.1,0.1]
      group rate=0.1 parameters=["trunk.w","size.w"]
    x: input f32[8,4]
    y: label f32[8,2]
    z: label f32[8,2]
    trunk.w: parameter f32[2,4]
    size.w: parameter f32[2,2]
    score: activation f32[8,2]
    size: activation f32[8,2]
    first: loss f32[] called="first"
    second: activation f32[] called="second"
    total: activation f32[] called="total"
    p: python
    score = linear x trunk.w @ "train.py":3
    size = linear score size.w @ "train.py":4
    first = mse_loss score y with={"target":1} @ "losses.py":5
    second = l1_loss size z with={"target":1} @ "losses.py":6
    total = add first second @ "losses.py":7
    p = leave second
    ! backward first @ "train.py":9
"""
LOGGED = OVERWRITTEN.replace('    total = add first second @ "losses.py":7\n', "")

FIRES = {
    "the sum is overwritten": (OVERWRITTEN, 7, "the loss `total` is computed and never differentiated: only one of its terms is, and `size` gets no gradient"),
    "a sum that is logged": (OVERWRITTEN.replace("leave second", "leave total"), 7, "the loss `total` is computed and never differentiated: only one of its terms is, and `size` gets no gradient"),
    "a loss that is logged alone": (LOGGED, 6, "the loss `second` is computed and never differentiated, and `size` gets no gradient"),
}  # fmt: skip

SILENT = {
    "the sum is differentiated": OVERWRITTEN.replace("! backward first", "! backward total").replace("first: loss", "first: activation").replace("total: activation", "total: loss"),
    "the head gets its gradient elsewhere": OVERWRITTEN.replace("size.w changed=false gradient_seen=false", "size.w changed=true gradient_seen=true"),
    "the head is not in the optimizer": OVERWRITTEN.replace('["trunk.w","size.w"]', '["trunk.w"]'),
    "the head is frozen": OVERWRITTEN.replace("    p = leave", "    parameter size.w trainable=false\n    p = leave"),
    "computed without tracking": LOGGED.replace('"train.py":4', '"train.py":4 tracking=false').replace('"losses.py":6', '"losses.py":6 tracking=false'),
    "a figure that compares with nothing": LOGGED.replace('l1_loss size z with={"target":1}', "mean size"),
    "compares with another output": LOGGED.replace("l1_loss size z", "l1_loss size score"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, message: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert (diagnosis.site.file, diagnosis.site.line, diagnosis.message) == ("losses.py", line, message)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
