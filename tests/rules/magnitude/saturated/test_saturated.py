"""WG510 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.magnitude.saturated import diagnose

FLAT = """
    x: input f32[64,4]
    w: parameter f32[8,4]
    v: parameter f32[2,8]
    a: activation f32[64,8] minimum=-900 maximum=900
    a = linear x w
    h: activation f32[64,8] mean=0.5 std=0.4999
    h = sigmoid a @ "train.py":8
    b = linear h v
    loss = mean b
"""

FAR_LEFT = (
    FLAT.replace("minimum=-900 maximum=900", "minimum=-33 maximum=-27")
    .replace("mean=0.5 std=0.4999", "mean=-1e-12 std=1e-13 zeros=0.0")
    .replace("sigmoid", "silu")
)

RECURRENT = FLAT.replace("mean=0.5 std=0.4999", "minimum=-1.0 maximum=-1.0").replace("h = sigmoid a", "h = rnn a w")

FIRES = {
    "a recurrent layer at one end": (RECURRENT, 8, "warning"),
    "a SiLU far below zero": (FAR_LEFT, 8, "warning"),
    "a sigmoid": (FLAT, 8, "warning"),
    "a tanh": (FLAT.replace("sigmoid", "tanh").replace("mean=0.5 std=0.4999", "mean=0.0 std=0.9999"), 8, "warning"),
}

DEEP = """
    course steps=160 start=10.6 first=9.0 last=3.7 noise=0.5 @ "train.py":40
    x: input f32[64,128]
    y: label i64[64]
    w: parameter f32[128,128] mean=0.0 std=1.0
    v: parameter f32[3,128]
    a: activation f32[64,128] minimum=-40 maximum=40
    h: activation f32[64,128] mean=0.0 std=0.963
    s: activation f32[64,3]
    p: activation f32[64,3]
    a = linear x w
    h = tanh a @ "train.py":25
    s = linear h v
    p = log_softmax s
    loss = nll_loss p y with={"target":1}
    ! batch x y
    ! backward loss @ "train.py":40
    labels values=["y"] how="target"
"""

CLIPPED = """
    measures loss=0.14
    x: input f32[64,4]
    w: parameter f32[64,4]
    y: label f32[64,4]
    a: activation f32[64,4] minimum=-0.4 maximum=-0.1
    a = sub w x
    h: activation f32[64,4] minimum=0.0 maximum=0.0
    h = clamp a @ "train.py":8
    loss = mse_loss h y
    ! backward loss
    parameter w value=w optimizer="opt" reached=true gradient="zero" gradient_norm=0.0
    ending w changed=false gradient_seen=true
"""

FIRES["a clamp that gives one number for all"] = CLIPPED, 8, "warning"

FIRES["less flat, in a run that ends worse than a guess"] = DEEP, 25, "warning"

SILENT = {
    "a recurrent layer of which a unit moves": RECURRENT.replace("maximum=-1.0", "maximum=0.3"),
    "a SiLU of which one entry is not": FAR_LEFT.replace("maximum=-27", "maximum=-2"),
    "a GELU that gives exact zeros (WG509)": FAR_LEFT.replace("silu", "gelu").replace("zeros=0.0", "zeros=1.0"),
    "a SiLU of figures that are not numbers": FAR_LEFT.replace("maximum=-27", 'maximum="nan" finite=0.0'),
    "less flat, in a run that learns": DEEP.replace("last=3.7", "last=0.6"),
    "less flat, in a run of few steps": DEEP.replace("steps=160", "steps=8"),
    "steep enough, in a run that ends worse than a guess": DEEP.replace("std=0.963", "std=0.7"),
    "a clamp within whose limits some lie": CLIPPED.replace("maximum=0.0\n", "maximum=0.1\n"),
    "a clamp within whose limits the one number lies": CLIPPED.replace("minimum=-0.4 maximum=-0.1", "minimum=0.0 maximum=0.0"),
    "a clamp beside which something learns": CLIPPED.replace('gradient="zero"', 'gradient="finite"'),
    "a loss of 0": CLIPPED.replace("loss=0.14", "loss=0.0"),
    "no loss": CLIPPED.replace("loss=0.14", 'loss="nan"'),
    "what moved later": CLIPPED.replace("changed=false", "changed=true"),
    "in its steep part": FLAT.replace("std=0.4999", "std=0.1"),
    "no figures": FLAT.replace("mean=0.5 std=0.4999", ""),
    "no numbers": FLAT.replace("mean=0.5 std=0.4999", 'mean="nan" std="nan"'),
    "infinite": FLAT.replace("std=0.4999", 'std="inf"'),
    "without tracking": FLAT.replace("h = sigmoid a", "h = sigmoid a tracking=false"),
}

OTHERS = {"a last sigmoid that is sure of itself": FLAT.replace("b = linear h v", "b = reshape h")}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG510"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)


def test_weights_that_are_too_large_are_told_with_the_size_that_is_due() -> None:
    (diagnosis,) = said(diagnose, DEEP)

    assert diagnosis.evidence[1].statement == "the root mean square of `w` is 1; with 128 inputs 0.0884 keeps the size of what goes through"
