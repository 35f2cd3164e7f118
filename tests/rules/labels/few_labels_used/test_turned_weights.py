"""WG108 on sketches of weights of positive labels."""

import pytest

from sketch import said
from whygrad.rules.labels.few_labels_used import diagnose

STEP = """
    step {number}
      x: input f32[128,12]
      y: label f32[128] minimum=0 maximum=1 mean={mean} whole=1
      k: activation f32[] minimum={by} maximum={by} called="pos_weight"
      w: parameter f32[1,12]
      s: activation f32[128]
      k = enter @ "fraud.py":4
      s = linear x w @ "fraud.py":5
      loss = bce_with_logits s y k with={{"target":1}} @ "fraud.py":9
      labels values=["y"] how="target"
"""


def steps(by: object, *means: object, change: tuple[str, str] = ("", "")) -> str:
    return "".join(STEP.replace(*change).format(number=number, mean=mean, by=by) for number, mean in enumerate(means))


FIRES = {
    "rare and weighed by their ratio": steps(0.036, 0.03125, 0.0390625),
    "a ratio that the recorded batches know roughly": steps(0.05, 0.03125, 0.0390625),
    "frequent and weighed by their ratio": steps(24.0, 0.96875, 0.953125),
}
SILENT = {
    "the inverse": steps(27.0, 0.03125, 0.0390625),
    "the inverse of frequent ones": steps(0.04, 0.96875, 0.953125),
    "no weight": steps(1.0, 0.03125, 0.0390625),
    "a weight of another size": steps(0.4, 0.03125, 0.0390625),
    "a root of the ratio": steps(5.2, 0.03125, 0.0390625),
    "classes that are nearly as frequent": steps(0.6, 0.375, 0.375),
    "hardly any label of the rare class": steps(0.012, 0.0078125, 0.015625),
    "one step alone": steps(0.036, 0.03125),
    "another weight in another step": steps(0.036, 0.03125)
    + steps(0.02, 0.0, 0.0390625).partition("    step 1")[2].join(("    step 1", "")),
    "soft labels": steps(0.036, 0.03125, 0.0390625, change=("whole=1", "whole=0.5")),
    "a weight for each entry": steps(0.036, 0.03125, 0.0390625, change=("k: activation f32[]", "k: activation f32[128]")),
    "NaN": steps("nan", "nan", "nan"),
    "zero": steps(0.0, 0.03125, 0.0390625),
    "infinity": steps("inf", 0.03125, 0.0390625),
}


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_the_line_that_makes_the_weight(text):
    (told,) = said(diagnose, text)

    assert told.site is not None
    assert told.site.line == 4
    assert told.confidence == "suspected"


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text):
    assert not said(diagnose, text)
