"""WG414 on sketches: a clipping behind the whole optimizer that leaves almost nothing of its updates."""

import pytest

from sketch import said
from whygrad.rules.update.wrong_order import diagnose

CUT = """
    optimizer opt native="Adam" steps=120 rates=[0.01,0.01] last_rate=0.01 @ "train.py":5
    group rate=0.01 parameters=["w"] settings={"update_limit":0.001}
    course steps=120 start=1.37 first=1.37 last=1.36 noise=0.02 @ "train.py":11
    x: input f32[64,8]
    y: label i64[64]
    w: parameter f32[40,80]
    a = linear x w
    loss = cross_entropy a y with={"target":1}
    ! backward loss @ "train.py":11
    ! clip w @ "train.py":6 with={"limit":0.001,"after":"adam"}
    ! optimizer_step opt
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=0.5 norm=20.0 update_norm=0.001
    labels values=["y"] how="target"
    measures loss=1.37 label_sensitivity=0.5
"""

FIRES = {
    "of a run whose loss stands": (CUT, 6),
    "asked for before the first update": (CUT.replace("course steps=120", "course steps=1").replace(" update_norm=0.001", ""), 6),
    "of plain descent, by the size of its gradient": (CUT.replace('native="Adam"', 'native="SGD"').replace("norm=0.5", "norm=50.0"), 6),
}

SILENT = {
    "a limit that leaves a tenth": CUT.replace('"update_limit":0.001', '"update_limit":0.06').replace(
        "update_norm=0.001", "update_norm=0.06"
    ),
    "a run that learns all the same": CUT.replace("last=1.36", "last=0.4"),
    "no limit behind the optimizer": CUT.replace(' settings={"update_limit":0.001}', "").replace(',"after":"adam"', ""),
    "an update that is no longer than expected by itself": CUT.replace("update_norm=0.001", "update_norm=0.0004"),
    "a small gradient of plain descent": CUT.replace('native="Adam"', 'native="SGD"').replace("update_norm=0.001", "update_norm=0.0009"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int) -> None:
    (found,) = said(diagnose, text, steps=2)

    assert (found.rule, found.severity, found.site and found.site.line) == ("WG414", "error", line)
    assert found.test is not None
    assert found.test.required


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not any(one.test for one in said(diagnose, text, steps=2))
