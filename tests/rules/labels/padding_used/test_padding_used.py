"""WG112 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.labels.padding_used import diagnose

CAPTIONS = """
    tokens: input i64[32,40]
    i: activation i64[32,39]
    n: activation i64[32,39]
    y: label i64[1248] minimum=0 maximum=29 zeros=0.93
    e: parameter f32[30,24]
    w: parameter f32[30,24]
    h: activation f32[32,39,24]
    s: activation f32[32,39,30]
    f: activation f32[1248,30]
    i = index tokens
    h = embedding i e with={"padding_idx":0} @ "m.py":3
    s = linear h w @ "m.py":4
    n = index tokens
    f = reshape s
    y = reshape n
    loss = cross_entropy f y with={"target":1,"reduction":"mean","ignore_index":-100} @ "a.py":9
    labels values=["y"] how="target"
"""

FIRES = {
    "captions": (CAPTIONS, 9),
    "where the loss was made": (CAPTIONS.replace('@ "a.py":9', '@ "a.py":9 ^ "a.py":4'), 4),
    "a negative log-likelihood": (CAPTIONS.replace("cross_entropy", "nll_loss"), 9),
    "a sum": (CAPTIONS.replace('"reduction":"mean"', '"reduction":"sum"'), 9),
}

SILENT = {
    "ignored": CAPTIONS.replace("-100", "0"),
    "masked afterwards": CAPTIONS.replace('"reduction":"mean"', '"reduction":"none"'),
    "hardly any padding": CAPTIONS.replace("zeros=0.93", "zeros=0.05"),
    "no padding id is known": CAPTIONS.replace('with={"padding_idx":0}', ""),
    "another padding id": CAPTIONS.replace('"padding_idx":0', '"padding_idx":3'),
    "labels of another kind": CAPTIONS.replace("n = index tokens", "n = index e"),
    "no figures": CAPTIONS.replace(" minimum=0 maximum=29 zeros=0.93", ""),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_padding_that_counts(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
