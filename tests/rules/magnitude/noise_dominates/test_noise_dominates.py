"""WG516 on sketches: fires, is silent, and what its experiment is read as."""

import math

import pytest

from sketch import said, sketch
from whygrad.flow.trials import judged
from whygrad.ir import Measures, Trial
from whygrad.rules.magnitude.noise_dominates import diagnose

TEXT = """
    course steps=100 start=2.0 first=2.0 last=1.8 noise=0.1 @ "train.py":11
    x: input f32[64,8]
    y: label i64[64]
    w: parameter f32[32,8]
    v: parameter f32[4,32]
    h = linear x w
    d = dropout h with={"p":0.95,"training":true} @ "train.py":8
    out = linear d v
    loss = cross_entropy out y with={"target":1} @ "train.py":9
    ! batch x y
    ! backward loss @ "train.py":11
    ! optimizer_step opt
    labels values=["y"] how="target"
    measures loss=2.0 gradient_norm=1.0 label_sensitivity=0.3
"""

FIRES = {
    "nineteen of twenty": TEXT,
    "the number that was meant as the share to keep": TEXT.replace("0.95", "0.8"),
    "the run is young": TEXT.replace("steps=100", "steps=1"),
    "no course": TEXT.replace('    course steps=100 start=2.0 first=2.0 last=1.8 noise=0.1 @ "train.py":11\n', ""),
}

SILENT = {
    "ordinary dropout": TEXT.replace("0.95", "0.5"),
    "switched off": TEXT.replace("true", "false"),
    "everything dropped": TEXT.replace("0.95", "1.0"),
    "a share that is no number": TEXT.replace("0.95", '{"float":"nan"}'),
    "the loss falls far": TEXT.replace("last=1.8", "last=0.4"),
    "not on the way of the gradient": TEXT.replace("out = linear d v", "out = linear h v"),
    "no labels to fit": TEXT.replace("label_sensitivity=0.3", "label_sensitivity=0.0"),
    "no share known": TEXT.replace('"p":0.95,', ""),
}

VERDICTS = {0.05: "confirmed", -0.1: "confirmed", 0.4: "refuted", math.nan: "inconclusive"}


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_it_is_suspected(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.test is not None
    assert diagnosis.test.required
    assert diagnosis.site is not None
    assert diagnosis.site.line == 8


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize(("cosine", "verdict"), VERDICTS.items(), ids=str)
def test_how_the_experiment_is_read(cosine: float, verdict: str) -> None:
    (diagnosis,) = diagnose.check(sketch(TEXT))
    assert diagnosis.test is not None
    trial = Trial(diagnosis.test.intervention, figures={"cosine": cosine})

    assert judged(diagnosis.test, trial, Measures(reproduced=True)).verdict == verdict
    assert judged(diagnosis.test, Trial(diagnosis.test.intervention), Measures()).verdict == "inconclusive"
