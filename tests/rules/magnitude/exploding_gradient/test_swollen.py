"""WG508 on sketches of a loss that goes through a function which makes it huge."""

import pytest

from sketch import said
from whygrad.rules.magnitude.exploding_gradient import diagnose

STEP = """
    step {number} kind=0
    x: input f32[8,4]
    y: label i64[8]
    w: parameter f32[4,3]
    c: activation f32[] mean=46.0 minimum=46.0 maximum=46.0 finite=1.0
    loss: loss f32[] {figures}
    a = linear x w
    c = cross_entropy a y with={{"target":1}}
    loss = exp c @ "train.py":7
    ! backward loss @ "train.py":8
    ! optimizer_step opt
    parameter w value=w reached=true gradient="finite" gradient_norm=6e20 norm=2.0
    labels values=["y"] how="target"
    measures loss={loss} gradient_norm=6e20 label_sensitivity=0.7
"""
HUGE = 'record program="train.py"' + STEP.format(number=0, figures="minimum=1e20 maximum=1e20 finite=1.0", loss=1e20)
SPOILT = HUGE + STEP.format(number=1, figures="finite=0.0", loss='"nan"')


def test_the_function_is_named() -> None:
    (diagnosis,) = said(diagnose, SPOILT)

    assert (diagnosis.site.line if diagnosis.site else None) == 7
    assert "`exp` makes 1e+20 of a loss of 46" in diagnosis.message


@pytest.mark.parametrize(
    "text",
    [
        HUGE,
        SPOILT.replace("minimum=1e20 maximum=1e20", "minimum=10.0 maximum=10.0"),
        SPOILT.replace("loss = exp c", "loss = neg c"),
        SPOILT.replace('c = cross_entropy a y with={"target":1}', "c = sum a"),
    ],
    ids=["one step alone", "a small one", "another function", "no loss before it"],
)  # fmt: skip
def test_silence(text: str) -> None:
    assert not [found for found in said(diagnose, text) if "of a loss of" in found.message]
