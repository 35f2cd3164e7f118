"""WG420 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.update.too_few_steps import diagnose

FALLING = """
    course steps=200 start=4.0 first=3.9 last=1.9 late=2.4 lowest=1.9 highest=3.9 noise=0.05 @ "train.py":9
    x: input f32[8,3]
    y: label f32[8,1]
    w: parameter f32[1,3]
    out = linear x w
    loss = mse_loss out y with={"target":1}
    ! backward loss @ "train.py":9
    ! optimizer_step opt
    labels values=["y"] how="target"
"""

SILENT = {
    "it levels off": FALLING.replace("late=2.4", "late=2.0"),
    "all at once at the end": FALLING.replace("late=2.4", "late=3.8"),
    "too short a try": FALLING.replace("steps=200", "steps=40"),
    "within the noise": FALLING.replace("noise=0.05", "noise=1.0"),
    "it rises at the end": FALLING.replace("late=2.4", "late=1.5"),
    "the end is unknown": FALLING.replace(" late=2.4", ""),
    "NaN on the way": FALLING.replace("late=2.4", 'late="nan"'),
    "infinite at the end": FALLING.replace("last=1.9", 'last="inf"'),
    "no course": FALLING.replace(
        '    course steps=200 start=4.0 first=3.9 last=1.9 late=2.4 lowest=1.9 highest=3.9 noise=0.05 @ "train.py":9\n', ""
    ),
    "two networks in turn": FALLING.replace("    x: input", "    step 0 kind=0\n    x: input", 1)
    + FALLING.replace("    x: input", "    step 1 kind=1\n    x: input", 1)
    .replace("optimizer_step opt", "optimizer_step other")
    .split("\n", 2)[2],
}

OTHERS = {
    "it hardly moves (WG412)": FALLING.replace("last=1.9", "last=3.85").replace("late=2.4", "late=3.87"),
    "it runs away (WG411)": FALLING.replace("last=1.9", "last=390.0").replace("highest=3.9", "highest=390.0"),
}


def test_the_last_quarter_brings_as_much_as_the_others():
    (diagnosis,) = said(diagnose, FALLING)

    assert diagnosis.severity == "note"
    assert "25 %" in diagnosis.message
    assert diagnosis.site is not None
    assert diagnosis.site.line == 9


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text):
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_what_other_rules_say(text):
    assert not said(diagnose, text)
