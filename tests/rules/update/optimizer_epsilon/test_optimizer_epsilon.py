"""WG419 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.update.optimizer_epsilon import diagnose

RULES = """
    optimizer opt native="Adam" steps=100 rates=[0.005,0.005] @ "train.py":5
    group rate=0.005 parameters=["w"] settings={"eps":1.0}
    x: input f32[64,8]
    y: label i64[64]
    w: parameter f32[4,8]
    a = linear x w
    loss = cross_entropy a y with={"target":1}
    ! batch x y
    ! backward loss
    ! optimizer_step opt
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=0.05 norm=2.0
    labels values=["y"] how="target"
    measures loss=1.37 label_sensitivity=0.5
"""

FIRES = {
    "a hundred times the gradients": (RULES, 5, "warning"),
    "gradients below the usual epsilon": (
        RULES.replace('"eps":1.0', '"eps":1e-8').replace("gradient_norm=0.05", "gradient_norm=1e-12"),
        5,
        "warning",
    ),
}

GIVEN_BACK = """
    optimizer opt native="Adam" steps=100 rates=[0.005,0.005] @ "train.py":5
    group rate=0.005 parameters=["w"] settings={"eps":1.0}
    x: input f32[64,8]
    y: input f32[64,8]
    w: parameter f32[8,8]
    r = linear x w
    d = sub x r
    s = square d
    loss = mean s
    ! batch x
    ! backward loss
    ! optimizer_step opt
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=0.05 norm=2.0
    labels values=[]
    measures loss=1.37
"""
"""A loss that is written out, and nothing beside the input to compare with."""

FIRES["an autoencoder's loss, written out"] = (GIVEN_BACK, 5, "warning")

SILENT = {
    "a score of what the model puts out": GIVEN_BACK.replace("d = sub x r", "d = neg r"),
    "the input left out of a layer's output, and read on": GIVEN_BACK.replace("s = square d", "s = linear d w"),
    "the usual epsilon": RULES.replace('"eps":1.0', '"eps":1e-8'),
    "large gradients": RULES.replace("gradient_norm=0.05", "gradient_norm=50.0"),
    "no epsilon": RULES.replace('"eps":1.0', '"momentum":0.9'),
    "no number": RULES.replace("gradient_norm=0.05", 'gradient_norm="nan"'),
    "infinite": RULES.replace("gradient_norm=0.05", 'gradient_norm="inf"'),
}

OTHERS = {
    "no gradient (WG301)": RULES.replace('gradient="finite" gradient_norm=0.05', 'gradient="none"'),
    "zeros": RULES.replace('gradient="finite" gradient_norm=0.05', 'gradient="zero" gradient_norm=0.0'),
}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG419"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)
