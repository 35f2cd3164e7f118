"""WG515 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.magnitude.uninitialised_parameter import diagnose

EMPTY = """
    x: input f32[64,8]
    w: parameter f32[4,8] minimum=-1e30 maximum=1e38
    a = linear x w
    loss = mean a
    ! backward loss
    ! optimizer_step opt
    parameter w reached=true gradient="finite" unwritten=true @ "train.py":4
"""

FIRES = {
    "never written": (EMPTY, 4, "error"),
    "figures that are no numbers": (EMPTY.replace("minimum=-1e30", 'minimum="nan"'), 4, "error"),
    "no figures": (EMPTY.replace(" minimum=-1e30 maximum=1e38", ""), 4, "error"),
}

SILENT = {
    "written": EMPTY.replace("unwritten=true", ""),
    "not read": EMPTY.replace("reached=true", ""),
}

OTHERS = {"filled from a checkpoint": EMPTY.replace("unwritten=true", "unwritten=true loaded=true")}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG515"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)
