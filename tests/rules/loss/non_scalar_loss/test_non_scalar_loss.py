"""WG214 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.loss.non_scalar_loss import diagnose

STACKED = """
    x: input f32[30,6]
    y: label f32[30]
    w: parameter f32[1,6]
    p: activation f32[30]
    a: activation f32[]
    loss: loss f32[2]
    p = linear x w @ "a.py":3
    a = mse_loss p y with={"target":1,"reduction":"mean"} @ "a.py":4
    loss = concat a a @ "a.py":5
    ! backward loss with={"failed":true} @ "a.py":9
    ! exception with={"type":"RuntimeError","message":"grad can be implicitly created only for scalar outputs"}
"""
UNREDUCED = (
    STACKED.replace('    loss = concat a a @ "a.py":5\n', "")
    .replace("a: activation f32[]", "")
    .replace("f32[2]", "f32[30]")
    .replace('    a = mse_loss p y with={"target":1,"reduction":"mean"}', '    loss = mse_loss p y with={"target":1,"reduction":"none"}')
)

FIRES = {
    "losses stacked": (STACKED, 5),
    "a loss per entry": (UNREDUCED, 4),
    "a table of losses": (UNREDUCED.replace("loss: loss f32[30]", "loss: loss f32[30,4]"), 4),
    "made in no op that is known": (UNREDUCED.replace('loss = mse_loss p y with={"target":1,"reduction":"none"} @ "a.py":4', ""), 9),
}

SILENT = {
    "one number": STACKED.replace("f32[2]", "f32[]")
    .replace('with={"failed":true}', "")
    .replace("grad can be implicitly created only for scalar outputs", ""),
    "one entry": STACKED.replace("f32[2]", "f32[1]"),
    "weights are given": STACKED.replace('with={"failed":true}', "").replace("grad can be implicitly created only for scalar outputs", ""),
    "the backward raised for another reason": STACKED.replace(
        "grad can be implicitly created only for scalar outputs", "Trying to backward through the graph a second time"
    ),
    "the shape is unknown": STACKED.replace("f32[2]", "f32"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_several_numbers_to_minimise(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_the_reduction_is_told_and_the_exception_explained() -> None:
    (diagnosis,) = said(diagnose, UNREDUCED)

    assert "reduction='none'" in diagnosis.evidence[0].statement
    assert {fact.what for fact in diagnosis.explains} == {"exception"}
    assert diagnosis.related[0].site.line == 9
