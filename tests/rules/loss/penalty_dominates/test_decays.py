"""WG219 on sketches of a weight decay inside the optimizer."""

import pytest

from sketch import said
from whygrad.rules.loss.penalty_dominates import diagnose

DECAYED = """
    optimizer opt native="SGD" steps=100 rates=[0.01,0.01] @ "train.py":5
    group rate=0.01 parameters=["w","b"] settings={"weight_decay":2.0}
    x: input f32[64,8]
    y: label i64[64]
    w: parameter f32[4,8]
    b: parameter f32[4]
    a = linear x w b
    loss = cross_entropy a y with={"target":1} @ "train.py":9
    ! batch x y
    ! backward loss @ "train.py":10
    ! optimizer_step opt
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=0.5 norm=2.0
    parameter b optimizer="opt" reached=true gradient="finite" gradient_norm=0.0 norm=0.0
    labels values=["y"] how="target"
    measures loss=1.38 label_sensitivity=0.9
"""

FIRES = {
    "eight times the gradient, of a run that has just begun": (DECAYED, 5),
    "a group among several": (
        DECAYED.replace("    x: input", '    group rate=0.01 parameters=["v"] settings={"weight_decay":0.0}\n    x: input'),
        5,
    ),
    "beside a gradient that is tiny": (DECAYED.replace("gradient_norm=0.5", "gradient_norm=1e-9"), 5),
}

SILENT = {
    "as large as the gradient, as in balance": DECAYED.replace('"weight_decay":2.0', '"weight_decay":0.25'),
    "the usual one": DECAYED.replace('"weight_decay":2.0', '"weight_decay":0.0005'),
    "no decay": DECAYED.replace('settings={"weight_decay":2.0}', 'settings={"momentum":0.9}'),
    "not for the parameters that have a gradient": DECAYED.replace('parameters=["w","b"]', 'parameters=["v"]'),
    "no gradient at all": DECAYED.replace('gradient="finite" gradient_norm=0.5', 'gradient="zero" gradient_norm=0.0'),
    "no number": DECAYED.replace("gradient_norm=0.5", 'gradient_norm="nan"'),
    "infinite": DECAYED.replace("gradient_norm=0.5", 'gradient_norm="inf"'),
    "weights that are no numbers": DECAYED.replace("norm=2.0", 'norm="nan"'),
    "labels that are not felt": DECAYED.replace("label_sensitivity=0.9", "label_sensitivity=0.0"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int) -> None:
    (told,) = said(diagnose, text)

    assert told.site is not None
    assert (told.rule, told.site.line) == ("WG219", line)
    assert told.test is not None
    assert told.test.required


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize(("last", "found"), [("last=1.38", 1), ("last=0.4", 0)], ids=["stands", "learns"])
def test_a_run_that_learns_all_the_same_is_left_alone(last: str, found: int) -> None:
    course = f'    course steps=100 start=1.39 first=1.39 {last} noise=0.01 @ "train.py":10\n    step 3 kind=0\n'

    assert len(said(diagnose, course + DECAYED)) == found
