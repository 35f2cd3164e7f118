"""WG408 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.update.optimizer_overflow import diagnose

HUGE = """
    optimizer opt native="Adam" steps=2 rates=[0.001,0.001] @ "train.py":5
    group rate=0.001 parameters=["w"]
    x: input f32[64,8] minimum=-2 maximum=2
    w: parameter f32[4,8] minimum=-1 maximum=1
    a: activation f32[64,4] minimum=-2 maximum=2
    m: activation f32[] minimum=0.7 maximum=0.7
    loss: loss f32[] minimum=8e23 maximum=8e23 mean=8e23 std=0
    a = linear x w
    m = mean a
    loss = mul m @ "train.py":9
    ! backward loss
    ! optimizer_step opt
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=1e23 update_norm=0.0
"""

FIRES = {
    "a loss scale that is never taken back": (HUGE, 9, "error"),
    "no figures: the optimizer": (HUGE.replace("minimum=8e23 maximum=8e23 mean=8e23 std=0", ""), 5, "error"),
    "the update is no number": (HUGE.replace("update_norm=0.0", 'update_norm="nan"'), 9, "error"),
}

SILENT = {
    "ordinary gradients": HUGE.replace("gradient_norm=1e23", "gradient_norm=1.0"),
    "it moves all the same": HUGE.replace("update_norm=0.0", "update_norm=0.1"),
    "no update": HUGE.replace("update_norm=0.0", ""),
    "float64": HUGE.replace("w: parameter f32", "w: parameter f64"),
}

OTHERS = {
    "plain SGD": HUGE.replace("Adam", "SGD"),
    "a gradient that is not finite (WG503)": HUGE.replace(
        'gradient="finite" gradient_norm=1e23', 'gradient="non-finite" gradient_norm="inf"'
    ),
}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG408"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)
