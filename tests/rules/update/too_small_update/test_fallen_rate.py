"""WG412 on sketches of rates that fall away within the first steps."""

import pytest

from sketch import said
from whygrad.rules.update.too_small_update import diagnose

TRIAL = '    trial intervention={"type":"descend","steps":16,"factor":1000.0} losses=[1.2,0.9,0.5] plain=[1.2,1.2,1.2]\n'
FALLEN = (
    """
    optimizer opt native="Adam" steps=360 rates=[0.001,1.0] last_rate=0.001 low_from=12 @ "train.py":5
    group rate=1.0 parameters=["w"]
    course steps=360 start=1.4 first=1.4 last=1.3 noise=0.1 @ "train.py":11
    step 358
    x: input f32[64,8]
    y: label i64[64]
    w: parameter f32[4,8]
    a = linear x w
    loss = cross_entropy a y with={"target":1}
    ! batch x y
    ! backward loss @ "train.py":11
    ! optimizer_step opt
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=0.5 norm=2.0 update_norm=0.2
    labels values=["y"] how="target"
    measures loss=1.2 label_sensitivity=0.5
"""
    + TRIAL
)


def test_a_rate_that_falls_away_while_there_is_much_to_be_learnt_is_told() -> None:
    (found,) = said(diagnose, FALLEN)
    assert (found.rule, found.severity) == ("WG412", "warning")
    assert "first 12 updates of 360" in found.message


SILENT = {
    "the run had come to its end before": FALLEN.replace("last=1.3", "last=0.08")
    .replace("[1.2,0.9,0.5]", "[0.1,0.06,0.02]")
    .replace("[1.2,1.2,1.2]", "[0.1,0.1,0.1]"),
    "a few updates at the highest rate gain nothing": FALLEN.replace("losses=[1.2,0.9,0.5]", "losses=[1.2,1.2,1.19]"),
    "the rate falls in the last quarter": FALLEN.replace("low_from=12", "low_from=270"),
    "the rate is back up": FALLEN.replace(" low_from=12", ""),
    "a short run": FALLEN.replace("steps=360", "steps=30"),
    "a step from before the fall": FALLEN.replace("step 358", "step 1"),
    "the loss was never seen": FALLEN.replace('    course steps=360 start=1.4 first=1.4 last=1.3 noise=0.1 @ "train.py":11\n', ""),
    "as good as zero (WG406)": FALLEN.replace("low_from=12", "low_from=12 idle_from=12"),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_it_is_silent(text: str) -> None:
    assert not said(diagnose, text)
