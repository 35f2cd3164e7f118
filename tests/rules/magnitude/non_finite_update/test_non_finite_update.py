"""WG504 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.magnitude.non_finite_update import diagnose

SPOILT = """
    optimizer opt native="SGD" steps=2 rates=["nan","nan"] @ "train.py":5
    group rate="nan" parameters=["w"]
    x: input f32[8,4]
    w: parameter f32[2,4]
    a = linear x w @ "train.py":8
    loss = mean a @ "train.py":9
    ! backward loss @ "train.py":10
    ! optimizer_step opt with={"rate":0.1} @ "train.py":11
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=1.0 norm=2.0 update_norm="nan"
"""
LATER = SPOILT.replace('update_norm="nan"', "update_norm=0.1") + '    birth stage="update" value="w" step=40\n'

BY_HAND = """
    x: input f32[8,4]
    w: parameter f32[2,4]
    m: state f32[2,4]
    a = linear x w @ "train.py":8
    loss = mean a @ "train.py":9
    ! backward loss @ "train.py":10
    h = div m with={"by":0.0} @ "adam.py":26
    k = sub w h @ "adam.py":28
    ! update w @ "adam.py":28
    parameter w reached=true gradient="finite" gradient_norm=1.0 norm=2.0 update_norm="nan"
"""

FIRES = {
    "an average that is corrected by 0": (BY_HAND, 26, "error"),
    "by a number that is none": (BY_HAND.replace('"by":0.0', '"by":0.1'), 28, "error"),
    "a rate that is no number": (SPOILT, 11, "error"),
    "a rate of this update that is none": (SPOILT.replace('"rate":0.1', '"rate":{"float":"nan"}'), 5, "error"),
    "infinite": (SPOILT.replace('update_norm="nan"', 'update_norm="inf"'), 11, "error"),
    "in a step that was not recorded": (LATER, 11, "error"),
}

SILENT = {
    "finite": SPOILT.replace('update_norm="nan"', "update_norm=0.1"),
    "nothing measured": SPOILT.replace('update_norm="nan"', ""),
}

OTHERS = {
    "the gradient of another parameter was not, and a norm over all spreads it (WG503)": SPOILT
    + '    v: parameter f32[4]\n    parameter v optimizer="opt" reached=true gradient="non-finite"\n',
    "the gradient was not finite (WG503)": SPOILT.replace('gradient="finite"', 'gradient="non-finite"'),
    "the parameter was not finite before (WG501)": SPOILT.replace("norm=2.0", 'norm="nan"'),
}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG504"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)


ENDED = SPOILT.replace('update_norm="nan"', "update_norm=0.1").replace(
    "    x: input", "    ending w changed=true gradient_seen=true finite=false\n    x: input"
)
COURSE = '    course steps=40 start=2.0 non_finite=7 @ "train.py":10\n    x: input'

AT_THE_END = {
    "finite at the end": ENDED.replace(" finite=false", ""),
    "the course of the loss tells (WG502)": ENDED.replace("    x: input", COURSE),
    "a gradient that was no number before (WG503)": ENDED.replace('gradient="finite"', 'gradient="non-finite"'),
    "a parameter that never was a number (WG501)": ENDED.replace("norm=2.0", 'norm="nan"'),
    "an origin that is known": ENDED + '    birth stage="forward" op="a" step=40\n',
}


def test_parameters_that_are_no_numbers_at_the_end_are_told() -> None:
    (diagnosis,) = said(diagnose, ENDED)

    assert diagnosis.message == "`w` holds NaN or infinity at the end of the run, and held numbers at the beginning"
    assert diagnosis.site is not None
    assert diagnosis.site.line == 11


@pytest.mark.parametrize("text", AT_THE_END.values(), ids=AT_THE_END)
def test_the_end_is_not_told_where_something_else_tells(text: str) -> None:
    assert not said(diagnose, text)
