"""WG514 on inputs whose place in a cycle their dtype can't tell."""

import pytest

from sketch import said
from whygrad.rules.magnitude.lost_precision import diagnose

MINUTE = """
    t: input f32[64] minimum=1700000000 maximum=1702000000 whole=1.0 distinct=60 called="stamps"
    r: activation f32[64]
    w: parameter f32[1,64]
    out: activation f32[1]
    y: label f32[1]
    t = enter @ "data.py":5
    r = round t native="torch.remainder" with={"by":300.0} @ "net.py":9
    out = linear r w @ "net.py":10
    loss = mse_loss out y with={"target":1} @ "train.py":9
    ! batch t y @ "train.py":7
    ! backward loss
    ! optimizer_step opt
    labels values=["y"] how="target"
"""
SINE = (
    MINUTE.replace('round t native="torch.remainder" with={"by":300.0}', "sin a")
    .replace("    r = ", '    a = mul t with={"by":0.0209}\n    r = ')
    .replace("    r: ", "    a: activation f32[64]\n    r: ")
)
SILENT = {
    "a day": MINUTE.replace('"by":300.0', '"by":86400.0'),
    "the sine of a day": SINE.replace('"by":0.0209', '"by":0.0000727'),
    "double numbers": MINUTE.replace("t: input f32", "t: input f64"),
    "whole numbers": MINUTE.replace("t: input f32", "t: input i64"),
    "small numbers": MINUTE.replace("minimum=1700000000 maximum=1702000000", "minimum=0 maximum=2000000"),
    "rounded to whole numbers": MINUTE.replace("torch.remainder", "torch.floor_divide"),
    "an unknown cycle": MINUTE.replace(' with={"by":300.0}', ""),
    "nothing reads it": MINUTE.replace("linear r w", "linear t w"),
    "moved before": SINE.replace('mul t with={"by":0.0209}', 'sub t with={"by":1700000000.0}'),
    "no figures": MINUTE.replace(" minimum=1700000000 maximum=1702000000 whole=1.0 distinct=60", ""),
}


@pytest.mark.parametrize("text", [MINUTE, SINE], ids=["a remainder", "a sine"])
def test_the_line_that_makes_the_numbers_coarse(text: str) -> None:
    (found,) = said(diagnose, text)

    assert found.site is not None
    assert (found.site.file, found.site.line, found.severity) == ("data.py", 5, "warning")
    assert "in steps of 128" in found.message


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
