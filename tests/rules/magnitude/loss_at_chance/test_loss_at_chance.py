"""WG512 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.magnitude.loss_at_chance import diagnose

CHANCE = """
    course steps=100 start=1.39 first=1.39 last=1.386 noise=0.01 @ "train.py":11
    x: input f32[64,8]
    y: label i64[64]
    w: parameter f32[4,8]
    a: activation f32[64,4]
    a = linear x w
    loss = cross_entropy a y with={"target":1} @ "train.py":9
    ! batch x y
    ! backward loss @ "train.py":11
    ! optimizer_step opt
    labels values=["y"] how="target"
    measures loss=1.386 label_sensitivity=0.5
"""

MEAN = CHANCE.replace(
    '    loss = cross_entropy a y with={"target":1} @ "train.py":9',
    '    each = cross_entropy a y with={"target":1} @ "train.py":9\n    loss = mean each',
)

WORSE = CHANCE.replace("start=1.39 first=1.39 last=1.386", "start=30.0 first=21.0 last=3.7")
NUMBERS = WORSE.replace("cross_entropy", "mse_loss").replace(
    "y: label i64[64]", "y: label f32[64,4] mean=0 std=1.0 finite=1.0 minimum=-3 maximum=3"
)

DECAYED = (
    CHANCE.replace("loss = cross_entropy", "each = cross_entropy")
    + """
    each: activation f32[] mean=1.39
    q: activation f32[4,8]
    n: activation f32[] mean=0.004
    q = square w
    n = sum q
    loss = add each n
"""
)

FIRES = {
    "beside a small penalty on the weights": (DECAYED, 9, "note"),
    "four classes": (CHANCE, 9, "note"),
    "a loss for each example, and their mean": (MEAN, 9, "note"),
    "far down, and still worse than a guess": (WORSE, 9, "note"),
    "standing, far above chance": (CHANCE.replace("1.39", "3.0").replace("1.386", "2.99"), 9, "note"),
    "worse, and falling no more": (WORSE.replace("last=3.7", "last=3.7 curve=[30,9,4,3.6,3.9,3.7,3.8,3.7]"), 9, "note"),
    "numbers, worse than their mean": (NUMBERS, 9, "note"),
}

SILENT = {
    "the loss falls": CHANCE.replace("last=1.386", "last=0.4"),
    "a sum over the examples": MEAN.replace("loss = mean each", "loss = sum each"),
    "below chance": CHANCE.replace("1.39", "1.2").replace("1.386", "1.19"),
    "worse than a guess, after a few steps": WORSE.replace("steps=100", "steps=10"),
    "worse than a guess, and still falling": WORSE.replace("last=3.7", "last=3.7 curve=[30,20,15,12,9,7,5,3.7]"),
    "better than the mean of the numbers": NUMBERS.replace("last=3.7", "last=0.9"),
    "worse than a guess, by another loss that is added": WORSE.replace("loss = cross_entropy", "each = cross_entropy")
    + "    loss = add each x\n",
    "beside a penalty that counts": DECAYED.replace("mean=0.004", "mean=0.4").replace("last=1.386", "last=1.4"),
    "beside a small penalty, and the loss falls": DECAYED.replace("last=1.386", "last=0.4"),
    "beside a small term that is no penalty": DECAYED.replace("q = square w", "q = square a"),
    "beside a penalty whose size is not known": DECAYED.replace(" mean=0.004", ""),
    "no number at the end": WORSE.replace("last=3.7", 'last="nan"'),
    "no number": CHANCE.replace("last=1.386", 'last="nan"'),
    "nothing known": CHANCE.replace("start=1.39 first=1.39 last=1.386", ""),
    "a short run": CHANCE.replace("steps=100", "steps=10"),
}

SILENT["targets that are one number, as a generator's"] = WORSE.replace("y: label i64[64]", "y: label i64[64] minimum=1 maximum=1")
OTHERS = {"a regression": CHANCE.replace("cross_entropy", "mse_loss")}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG512"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)
