"""WG219 on sketches of two terms, one averaged over all entries and one summed over the batch."""

import pytest

from sketch import said
from whygrad.rules.loss.penalty_dominates import diagnose

CODED = """
    x: input f32[32,144]
    w: parameter f32[144,4]
    v: parameter f32[4,144]
    z: activation f32[32,4]
    r: activation f32[32,144]
    d: activation f32[32,144]
    q: activation f32[32,144]
    m: activation f32[] mean=0.22 finite=1
    e: activation f32[32,4]
    s: activation f32[] mean=-27.2 finite=1
    k: activation f32[] mean=13.6 finite=1
    half: constant f32[] mean=-0.5 finite=1
    loss: loss f32[]
    z = linear x w @ "m.py":3
    r = linear z v @ "m.py":4
    d = sub x r @ "m.py":5
    q = square d @ "m.py":5
    m = mean q @ "m.py":5
    e = exp z @ "m.py":6
    s = sum e @ "m.py":6
    k = mul s half @ "m.py":6
    loss = add m k @ "m.py":7
"""


def test_a_sum_over_the_batch_that_drowns_a_mean_is_told_where_it_is_taken():
    (told,) = said(diagnose, CODED, steps=2)

    assert told.site is not None
    assert told.site.line == 6
    assert "62 times" in told.message


COLLAPSED = "    course steps=240 start=17.9 first=5.5 last=0.2 lowest=0.19 highest=5.5\n    step 0 kind=0\n" + CODED.replace(
    "    d: activation f32[32,144]\n    q: activation f32[32,144]\n", ""
).replace('    d = sub x r @ "m.py":5\n    q = square d @ "m.py":5\n', "").replace(
    "m = mean q", 'm = mse_loss r x with={"target":1,"reduction":"mean"}'
)
LEARNED = COLLAPSED.replace("last=0.2 lowest=0.19", "last=0.1 lowest=0.09")


def test_a_run_that_ends_where_the_mean_began_is_told_whatever_takes_the_mean():
    (told,) = said(diagnose, COLLAPSED)

    assert told.site is not None
    assert told.site.line == 6
    assert told.remedy is not None
    assert told.remedy.edits[0].text == "{x} / 4608"


SILENT = {
    "a sum that is not much larger": CODED.replace("mean=13.6", "mean=1.3"),
    "both summed": CODED.replace("m = mean q", "m = sum q"),
    "both averaged": CODED.replace("s = sum e", "s = mean e"),
    "a sum of each example, and their mean": CODED.replace("s = sum e", "t = sum e\n    s = mean t").replace(
        "    s: act", "    t: activation f32[32]\n    s: act"
    ),
    "a sum that compares with labels": CODED.replace("x: input", "y: label f32[32,4]\n    x: input")
    .replace("e = exp z", "e = sub z y")
    .replace('"m.py":7\n', '"m.py":7\n    labels values=["y"] how="target"\n'),
    "a penalty on the weights alone": CODED.replace("e = exp z", "e = square w").replace(
        "e: activation f32[32,4]", "e: activation f32[144,4]"
    ),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_terms_of_one_measure_or_with_labels_are_fine(text):
    assert not said(diagnose, text, steps=2)


@pytest.mark.parametrize(
    "text",
    [
        LEARNED,
        COLLAPSED.replace("mean=13.6", "mean=1.3"),
        COLLAPSED.replace('"reduction":"mean"', '"reduction":"sum"'),
        COLLAPSED.replace("course steps=240", "course steps=8"),
    ],
    ids=["the error is learned", "a sum that is not much larger", "both summed", "a few steps"],
)
def test_a_run_that_learns_beside_such_a_sum_is_fine(text):
    assert not said(diagnose, text)
