"""WG411 on sketches of updates that the program writes itself."""

import pytest

from sketch import said
from whygrad.rules.update.too_large_update import diagnose

STEP = """
    step {number} kind=0
    x: input f32[30,1]
    y: label f32[30,1]
    w: parameter f32[1,1]
    b: parameter f32[1]
    e: activation f32[30,1]
    a = linear x w b
    e = mse_loss a y with={{"target":1,"reduction":"none"}}
    loss = sum e @ "line.py":14
    ! backward loss @ "line.py":20
    ! update w @ "line.py":22
    ! update b @ "line.py":23
    parameter w value=w reached=true gradient="finite" gradient_norm=5000.0 norm={norm} update_norm=5.0
    parameter b value=b reached=true gradient="finite" gradient_norm=500.0 norm=0.6 update_norm=0.5
    labels values=["y"] how="target"
    measures loss={loss} label_sensitivity=0.5
"""
AWAY = (
    '    record program="line.py"\n    course steps=100 start=5000.0 first=1e9 last=1e30 lowest=5000.0 highest=1e31 non_finite=37 @ "line.py":20'
    + STEP.format(number=0, norm=0.3, loss=5000.0)
    + STEP.format(number=1, norm=5.3, loss=17000.0)
)


def test_the_update_is_named_with_its_rate_and_the_sum_beside_it() -> None:
    (diagnosis,) = said(diagnose, AWAY)

    assert (diagnosis.site.line if diagnosis.site else None) == 22
    assert "at a rate of 0.001" in diagnosis.message
    assert "`w` by 16.7 times its size" in diagnosis.message
    assert [place.site.line for place in diagnosis.related if place.site] == [14]
    assert diagnosis.help is not None
    assert "mean of the 30 entries" in diagnosis.help
    assert [edit.action for edit in (diagnosis.remedy.edits if diagnosis.remedy else ())] == ["swap"]


@pytest.mark.parametrize(
    "text",
    [
        AWAY.replace("first=1e9 last=1e30", "first=4000.0 last=1.5").replace("highest=1e31 non_finite=37", "highest=5000.0"),
        AWAY.replace("norm=0.3 update", "norm=30.0 update").replace("norm=5.3 update", "norm=33.0 update"),
        AWAY.replace("measures loss=17000.0", "measures loss=900.0"),
        AWAY.replace("    ! update w", "    ! optimizer_step opt\n    ! update w"),
        AWAY.replace('labels values=["y"] how="target"', "").replace("y: label", "y: input").replace(
            'e = mse_loss a y with={"target":1,"reduction":"none"}', "e = square a"
        ),
    ],
    ids=["learns", "small for the parameter", "the loss falls", "an optimizer's", "no labels"],
)  # fmt: skip
def test_silence(text: str) -> None:
    assert not [found for found in said(diagnose, text) if "the first moves" in found.message]
