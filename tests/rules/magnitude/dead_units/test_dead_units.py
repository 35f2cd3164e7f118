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

DIED = """
    optimizer opt native="SGD" @ "train.py":5
    group rate=0.5 parameters=["w","v"]
    origin optimizer="opt" setting="lr" @ "config.py":2
    step 0
      x: input f32[64,4]
      w: parameter f32[8,4]
      v: parameter f32[2,8]
      a = linear x w
      h: activation f32[64,8] zeros=0.3 dead=0.125
      h = relu a @ "train.py":8
      b = linear h v
      loss = mean b
      parameter w trainable=true reached=true gradient=finite gradient_norm=2.0 norm=2.0 optimizer="opt" value="w"
    step 9
      x: input f32[64,4]
      w: parameter f32[8,4]
      v: parameter f32[2,8]
      a = linear x w
      h: activation f32[64,8] zeros=1.0 dead=1.0
      h = relu a @ "train.py":8
      b = linear h v
      loss = mean b
"""


def test_units_that_large_updates_have_killed_are_told_by_the_rate() -> None:
    (diagnosis,) = said(diagnose, DIED)

    assert diagnosis.site is not None
    assert (diagnosis.site.file, diagnosis.site.line) == ("config.py", 2)
    assert [place.site.line for place in diagnosis.related] == [8]
    assert "only 12 % of them were, and an update at the rate of 0.5 moves `w` by 50 %" in diagnosis.evidence[1].statement


@pytest.mark.parametrize(
    "text",
    [
        DIED.replace("rate=0.5", "rate=0.01"),
        DIED.replace("dead=0.125", "dead=0.75"),
        DIED.replace("gradient_norm=2.0", 'gradient_norm="nan"'),
        DIED.replace("dead=0.125", 'dead="nan"'),
    ],
    ids=["small updates", "mostly dead from the start", "no number of a gradient", "no number of a share"],
)
def test_units_that_may_have_died_of_something_else_are_told_where_they_are(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert (diagnosis.site.file, diagnosis.site.line) == ("train.py", 8)


FEW = DEAD.replace("h: activation f32[64,8]", "h: activation f32[4,8,10,10]")

FIRES = {
    "all units": (DEAD, 8, "warning"),
    "all channels of a few pictures": (FEW, 8, "warning"),
    "nine in ten": (DEAD.replace("dead=1.0", "dead=0.95"), 8, "warning"),
}

SILENT = {
    "nearly all channels of a few pictures": FEW.replace("dead=1.0", "dead=0.95"),
    "one picture": FEW.replace("[4,8", "[1,8"),
    "a few rows": FEW.replace("[4,8,10,10]", "[4,8]"),
    "half of them": DEAD.replace("dead=1.0", "dead=0.5"),
    "zeros that differ from example to example": DEAD.replace("dead=1.0", "dead=0.0"),
    "not counted": DEAD.replace(" dead=1.0", ""),
    "no number": DEAD.replace("dead=1.0", 'dead="nan"'),
    "a small batch": DEAD.replace("f32[64,8]", "f32[4,8]"),
    "a narrow layer": DEAD.replace("f32[64,8]", "f32[64,2]"),
    "not part of the loss": DEAD.replace("b = linear h v", "b = linear a v"),
}

LAST = """
    x: input f32[64,16]
    w: parameter f32[1,16]
    y: label f32[64,1] minimum=1.0 maximum=2.9
    a = linear x w
    h: activation f32[64,1] minimum=0.0 maximum=0.0 zeros=1.0 dead=1.0
    h = relu a @ "train.py":31
    loss = mse_loss h y with={"target":1}
    labels values=["y"] how="target"
    parameter w trainable=true reached=true gradient=zero gradient_norm=0.0 norm=1.0 optimizer="opt" value="w"
"""
FIRES["a single output, and no gradient at all"] = LAST, 31, "warning"
SILENT |= {
    "a last ReLU, and a gradient elsewhere": LAST.replace("gradient=zero gradient_norm=0.0", "gradient=finite gradient_norm=0.1"),
    "a last ReLU where all targets are zero": LAST.replace("minimum=1.0 maximum=2.9", "minimum=0.0 maximum=0.0"),
    "a last ReLU on a few examples": LAST.replace("[64,", "[4,"),
}

OTHERS = {
    "targets below what a last ReLU gives (WG216)": LAST.replace("minimum=1.0", "minimum=-2.0"),
    "a last ReLU (WG217)": DEAD.replace("b = linear h v", "b = reshape h"),
}


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


def test_a_layer_behind_dead_ones_is_not_told_as_well() -> None:
    deeper = DEAD.replace(
        "b = linear h v",
        'u: parameter f32[8,8]\n    g: activation f32[64,8] zeros=1.0 dead=1.0\n    c = linear h u\n    g = relu c @ "train.py":9\n    b = linear g v',
    )

    assert [found.site.line for found in said(diagnose, deeper) if found.site] == [8]
