"""WG513 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.magnitude.half_precision_underflow import diagnose

LOST = """
    x: input f32[64,8]
    w: parameter f32[4,8]
    h: activation f16[64,8]
    h = cast x w carries=[false,true] @ "train.py":8
    loss = mean h
    ! backward loss
    ! optimizer_step opt
    parameter w reached=true gradient="zero" gradient_norm=0.0
"""

FIRES = {"zeros behind float16": (LOST, 8, "warning")}

SILENT = {
    "a gradient": LOST.replace('gradient="zero" gradient_norm=0.0', 'gradient="finite" gradient_norm=1e-9'),
    "a scaler": LOST.replace("! optimizer_step", "! unscale opt\n    ! optimizer_step"),
    "bfloat16": LOST.replace("f16", "bf16"),
    "not finite": LOST.replace('gradient="zero" gradient_norm=0.0', 'gradient="non-finite" gradient_norm="nan"'),
}

OTHERS = {"cut off (WG301)": LOST.replace("carries=[false,true]", "carries=[false,false]")}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG513"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)
