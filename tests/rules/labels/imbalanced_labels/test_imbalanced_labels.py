"""WG113 on sketches: fires, is silent."""

import pytest

from sketch import said
from whygrad.rules.labels.imbalanced_labels import diagnose

TEXT = """
    course steps=200 start=0.7 first=0.5 last=0.33 noise=0.01 @ "train.py":11
    x: input f32[64,8]
    y: label f32[64] minimum=0 maximum=1 mean=0.1 whole=1.0
    w: parameter f32[1,8]
    out = linear x w
    loss = bce_with_logits out y with={"target":1} @ "train.py":9
    ! batch x y
    ! backward loss @ "train.py":11
    ! optimizer_step opt
    labels values=["y"] how="target"
    measures loss=0.7 gradient_norm=1.0 label_sensitivity=0.3
"""

FIRES = {
    "one in ten": TEXT,
    "nine in ten": TEXT.replace("mean=0.1", "mean=0.9"),
    "ids of two classes": TEXT.replace("bce_with_logits", "cross_entropy").replace("f32[64] minimum", "i64[64] minimum"),
}

EACH = TEXT.replace("loss = bce_with_logits", "each = bce_with_logits") + '    loss = mean each @ "train.py":10\n'
FIRES["the mean of one loss for each example"] = EACH

SILENT = {
    "one loss for each example, weighed": EACH.replace("mean each", "mean each k").replace("    loss = ", "    k = mul each\n    loss = "),
    "the loss goes below": TEXT.replace("last=0.33", "last=0.2"),
    "the loss stays above": TEXT.replace("last=0.33", "last=0.6"),
    "balanced": TEXT.replace("mean=0.1", "mean=0.5").replace("last=0.33", "last=0.69"),
    "a short run": TEXT.replace("steps=200", "steps=5"),
    "every label the same (another rule)": TEXT.replace("mean=0.1", "mean=0.0").replace("maximum=1 ", "maximum=0 "),
    "weights of classes": TEXT.replace("bce_with_logits out y", "bce_with_logits out y pos"),
    "soft labels": TEXT.replace("whole=1.0", "whole=0.2"),
    "figures that are no numbers": TEXT.replace("mean=0.1", 'mean="nan"'),
    "a loss that is no number": TEXT.replace("last=0.33", 'last="nan"'),
    "no figures": TEXT.replace("minimum=0 maximum=1 mean=0.1 whole=1.0", ""),
    "smoothed": TEXT.replace('"target":1', '"target":1,"label_smoothing":0.1'),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_it_is_found(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert (diagnosis.rule, diagnosis.severity) == ("WG113", "note")
    assert diagnosis.site is not None
    assert diagnosis.site.line == 9


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
