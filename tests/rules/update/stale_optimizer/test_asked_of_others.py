"""WG402 on sketches of derivatives that are taken by the data."""

import pytest

from sketch import said
from whygrad.rules.update.stale_optimizer import diagnose

ASKED = """
    optimizer opt native="Adam" orphans=["f32[8,3]","f32[8]"] @ "trainer.py":10
    raised type="TypeError" message="unsupported operand"
    step 0
    x: parameter f32[32,5]
    y: label i32[32]
    w: input f32[8,3]
    a = linear x w
    loss = mse_loss a y with={"target":1}
    ! backward loss @ "trainer.py":16
    parameter x value=x reached=true gradient="none"
"""
SILENT = {
    "nothing raised": ASKED.replace('    raised type="TypeError" message="unsupported operand"\n', ""),
    "what the optimizer was made for": ASKED.replace("x: parameter f32[32,5]", "x: parameter f32[8,3]"),
    "an optimizer that knows what it is given": ASKED.replace(' orphans=["f32[8,3]","f32[8]"]', ""),
    "one that has stepped": ASKED.replace('native="Adam"', 'native="Adam" steps=3'),
}


def others(text: str) -> list[int]:
    return [one.site.line for one in said(diagnose, text) if "the derivative is taken by" in one.message and one.site is not None]


def test_it_stands_where_the_derivative_is_asked_for() -> None:
    assert others(ASKED) == [16]


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_it_is_silent(text: str) -> None:
    assert not others(text)
