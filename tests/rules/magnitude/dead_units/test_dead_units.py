"""WG509 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.magnitude.dead_units import diagnose

DEAD = """
    x: input f32[64,4]
    w: parameter f32[8,4]
    v: parameter f32[2,8]
    a = linear x w
    h: activation f32[64,8] zeros=1.0 dead=1.0
    h = relu a module="1" @ "train.py":8
    b = linear h v
    loss = mean b
"""

FIRES = {
    "all units": (DEAD, 8, "warning"),
    "nine in ten": (DEAD.replace("dead=1.0", "dead=0.95"), 8, "warning"),
}

SILENT = {
    "half of them": DEAD.replace("dead=1.0", "dead=0.5"),
    "zeros that differ from example to example": DEAD.replace("dead=1.0", "dead=0.0"),
    "not counted": DEAD.replace(" dead=1.0", ""),
    "no number": DEAD.replace("dead=1.0", 'dead="nan"'),
    "a small batch": DEAD.replace("f32[64,8]", "f32[4,8]"),
    "a narrow layer": DEAD.replace("f32[64,8]", "f32[64,2]"),
    "not part of the loss": DEAD.replace("b = linear h v", "b = linear a v"),
}

OTHERS = {"a last ReLU (WG217)": DEAD.replace("b = linear h v", "b = reshape h")}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG509"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)
