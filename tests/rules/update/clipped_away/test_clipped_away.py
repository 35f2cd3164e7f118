"""WG410 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.update.clipped_away import diagnose

TIGHT = """
    optimizer opt native="SGD" steps=9 rates=[0.01,0.01] last_rate=0.01
      group rate=0.01 parameters=["w"]
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w
    loss = mean out
    ! backward loss @ "train.py":22
    ! clip w @ "train.py":23 with={"norm":250.0,"limit":0.0001}
    ! optimizer_step opt @ "train.py":24
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=250.0 gradient_at_update="finite" norm=2.0 update_norm=0.000001
"""

FIRES = {
    "a limit far below the gradient": TIGHT,
    "parameters handed over as an iterator": TIGHT.replace("! clip w", "! clip"),
}

ADAM = TIGHT.replace('native="SGD"', 'native="Adam"').replace('parameters=["w"]', 'parameters=["w"] settings={"eps":0.001}')
"""What is left of the gradient, 1e-4 over eight entries, is far below what Adam adds to its size."""


def test_adam_moves_nothing_for_what_lies_below_its_epsilon() -> None:
    (found,) = said(diagnose, ADAM, steps=2)

    assert "(WG417)" not in found.message
    assert {fact.what for fact in found.explains} == {"stands", "unmoved"}


SILENT = {
    "of Adam, above its epsilon": ADAM.replace('"eps":0.001', '"eps":1e-8'),
    "of Adam, whose epsilon is not known": ADAM.replace('"eps":0.001', '"eps":null'),
    "gradients that are still scaled": TIGHT.replace("    ! optimizer_step", "    ! unscale opt\n    ! optimizer_step"),
    "Adam divides by the size": TIGHT.replace('native="SGD"', 'native="AdamW"'),
    "a limit that bites, and parameters that move": TIGHT.replace("update_norm=0.000001", "update_norm=0.001"),
    "a limit near the gradient": TIGHT.replace('"limit":0.0001', '"limit":50.0'),
    "a gradient that is not finite": TIGHT.replace('"norm":250.0', '"norm":{"float":"nan"}'),
    "clipped by value, without a norm": TIGHT.replace('"norm":250.0', '"norm":null'),
    "figures that are not numbers": TIGHT.replace("update_norm=0.000001", 'update_norm="nan"'),
    "no gradient (WG301)": TIGHT.replace('"norm":250.0', '"norm":0.0'),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_clipping_that_leaves_nothing(text: str) -> None:
    (diagnosis,) = said(diagnose, text, steps=2)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 23
    assert diagnosis.message == "clipping leaves 4e-07 of the gradient: its norm is 250, the limit 0.0001"


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text, steps=2)


def test_one_step_says_little() -> None:
    assert not said(diagnose, TIGHT)
