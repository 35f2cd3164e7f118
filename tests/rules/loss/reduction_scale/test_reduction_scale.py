"""WG212 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.loss.reduction_scale import diagnose

TWICE = """
    optimizer opt native="SGD" steps=9 rates=[0.1,0.1]
    group rate=0.1 parameters=["w"]
    x: input f32[32,9]
    y: label i64[32]
    w: parameter f32[5,9]
    s: activation f32[32,5]
    m: activation f32[] mean=1.949
    loss: loss f32[] mean=0.0609
    s = linear x w @ "a.py":3
    m = cross_entropy s y with={"target":1,"reduction":"mean"} @ "a.py":4
    loss = div m @ "a.py":5
    labels values=["y"] how="target"
"""

SUM = """
    optimizer opt native="SGD" steps=9 rates=[0.1,0.1]
    group rate=0.1 parameters=["w"]
    step 0 updated=true
    x: input f32[64,9]
    y: label f32[64]
    w: parameter f32[1,9]
    s: activation f32[64]
    loss: loss f32[]
    s = linear x w @ "a.py":3
    loss = mse_loss s y with={"target":1,"reduction":"sum"} @ "a.py":4
    ! backward loss
    parameter w reached=true optimizer="opt" gradient="finite" norm=1.0 update_norm=3.0
    measures loss=70.0
    step 1 updated=true
    x: input f32[64,9]
    y: label f32[64]
    w: parameter f32[1,9]
    s: activation f32[64]
    loss: loss f32[]
    s = linear x w @ "a.py":3
    loss = mse_loss s y with={"target":1,"reduction":"sum"} @ "a.py":4
    ! backward loss
    measures loss=5000.0
"""

SINGLE = """loss = mse_loss s y with={"target":1,"reduction":"sum"} @ "a.py":4"""
BY_HAND = SUM.replace("    loss: loss", "    d: activation f32[64]\n    t: activation f32[] mean=60.0\n    loss: loss").replace(
    SINGLE, 'd = mse_loss s y with={"target":1,"reduction":"none"} @ "a.py":4\n    t = sum d @ "a.py":5\n    loss = add t @ "a.py":6'
)
DIVIDED = BY_HAND.replace("loss: loss f32[]", "loss: loss f32[] mean=0.9375").replace("loss = add t", "loss = div t")

FIRES = {
    "a sum by hand, with a penalty added": (BY_HAND, 5),
    "a sum by hand, halved": (DIVIDED.replace("mean=0.9375", "mean=30.0"), 5),
    "divided by the examples again": (TWICE, 5),
    "and by the number of batches": (TWICE.replace("mean=0.0609", "mean=0.004351"), 5),
    "as a product": (TWICE.replace("div m", "mul m"), 5),
    "a mean of its own": (TWICE.replace('m = cross_entropy s y with={"target":1,"reduction":"mean"}', "m = mean s"), 5),
    "a mean over every axis by name": (
        TWICE.replace('m = cross_entropy s y with={"target":1,"reduction":"mean"}', 'm = mean s with={"axis":[0,1]}'),
        5,
    ),
    "by way of a sum of the one number": (
        TWICE.replace("loss = div m", 't = sum m with={"axis":[]} @ "a.py":5\n    t: activation f32[] mean=1.949\n    loss = mul t'),
        5,
    ),
    "a sum that diverges": (SUM, 4),
    "a sum that becomes NaN": (SUM.replace("loss=5000.0", 'loss="nan"'), 4),
}

SILENT = {
    "a mean over one axis of two": TWICE.replace(
        'm = cross_entropy s y with={"target":1,"reduction":"mean"}', 'm = mean s with={"axis":0}'
    ).replace("m: activation f32[]", "m: activation f32[5]"),
    "a sum by hand that is divided by the examples": DIVIDED,
    "a sum by hand of which the divisor is not known": DIVIDED.replace("mean=0.9375", ""),
    "a sum by hand whose divisor is no number": DIVIDED.replace("mean=0.9375", 'mean="nan"'),
    "a sum by hand within each row": BY_HAND.replace("t: activation f32[]", "t: activation f32[64]"),
    "a sum by hand that goes down": BY_HAND.replace("loss=5000.0", "loss=40.0"),
    "Adam does not mind": TWICE.replace("SGD", "AdamW"),
    "gradients that the program adds up itself": TWICE + "    outcome steps_seen=72 backwards_seen=72\n",
    "half": TWICE.replace("mean=0.0609", "mean=0.9745"),
    "accumulation over four batches": TWICE.replace("mean=0.0609", "mean=0.48725"),
    "an odd factor": TWICE.replace("mean=0.0609", "mean=0.0417"),
    "a sum of more than one number": TWICE.replace("m: activation f32[]", "m: activation f32[32]")
    .replace('"reduction":"mean"', '"reduction":"none"')
    .replace("loss = div m", 't = sum m @ "a.py":5\n    t: activation f32[] mean=1.949\n    loss = mul t'),
    "a few examples": TWICE.replace("[32", "[4"),
    "a sum that is divided": TWICE.replace('"reduction":"mean"', '"reduction":"sum"'),
    "two backwards": TWICE.replace("    labels values", "    ! backward loss\n    ! backward loss\n    labels values"),
    "NaN": TWICE.replace("mean=0.0609", 'mean="nan"'),
    "a sum that goes down": SUM.replace("loss=5000.0", "loss=40.0"),
    "a sum with small updates": SUM.replace("update_norm=3.0", "update_norm=0.01"),
    "a mean that diverges (WG411)": SUM.replace('"reduction":"sum"', '"reduction":"mean"'),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_a_mean_that_is_no_mean(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_a_sum_by_hand_becomes_a_mean() -> None:
    (diagnosis,) = said(diagnose, BY_HAND)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.site.line, edit.text) for edit in diagnosis.remedy.edits] == [("swap", 5, "{x}.mean()")]
    assert not diagnosis.remedy.safe
