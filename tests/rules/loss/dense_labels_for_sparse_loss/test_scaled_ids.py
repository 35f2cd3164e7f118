"""WG202 on ids that were scaled and cut to whole numbers."""

import pytest

from sketch import said
from whygrad.rules.loss.dense_labels_for_sparse_loss import diagnose

TABLE = """
    raw: input f32[400,7]
    top: activation f32[7]
    table: activation f32[400,7]
    x: activation f32[400,6]
    last: activation f32[400]
    y: label i64[400] minimum=0 maximum=1 zeros=0.95 whole=1.0
    w: parameter f32[5,6]
    s: activation f32[400,5]
    table = div raw top @ "a.py":2
    x = index table @ "a.py":3
    last = index table @ "a.py":3
    y = integer_cast last @ "a.py":4
    s = linear x w @ "a.py":8
    loss = cross_entropy s y with={"target":1} @ "a.py":9
    labels values=["y"] how="target"
"""
HANDED = """
    batches path="[0]" seen=60 minimum=-1.0 maximum=1.0 values=["x"] @ "a.py":5
    batches path="[1]" seen=60 minimum=0.0 maximum=1.0 values=["y"] @ "a.py":5
    x: input f32[40,6]
    y: label i64[40] minimum=0 maximum=1 zeros=0.95 whole=1.0
    w: parameter f32[7,6]
    s: activation f32[40,7]
    s = linear x w @ "a.py":8
    loss = cross_entropy s y with={"target":1} @ "a.py":9
    labels values=["y"] how="target"
"""


def test_ids_scaled_with_their_table_are_an_error_at_the_scaling():
    (found,) = said(diagnose, TABLE)

    assert found.site is not None
    assert (found.severity, found.confidence, found.site.line) == ("error", "proved", 2)


def test_ids_scaled_alone_are_a_warning():
    alone = TABLE.replace("x = index table", "x = index raw")
    (found,) = said(diagnose, alone)

    assert found.severity == "warning"


def test_ids_that_a_loader_hands_out_are_suspected():
    (found,) = said(diagnose, HANDED)

    assert (found.severity, found.confidence) == ("warning", "suspected")


def test_fractions_that_were_measured_before_they_were_cut_are_an_error_at_the_cut():
    cut = TABLE.replace("last: activation f32[400]", "last: input f32[400] minimum=0.0 maximum=1.0 whole=0.33").replace(
        '    last = index table @ "a.py":3\n', ""
    )
    (found,) = said(diagnose, cut.replace("zeros=0.95", "zeros=0.8"))

    assert found.site is not None
    assert (found.severity, found.confidence, found.site.line) == ("error", "proved", 4)


@pytest.mark.parametrize(
    "figures", ["minimum=0.0 maximum=1.0 whole=1.0", "minimum=0.0 maximum=4.9 whole=0.1", "minimum=-1.0 maximum=1.0 whole=0.1", ""]
)
def test_numbers_that_are_rounded_on_purpose_are_silent(figures: str):
    cut = TABLE.replace("last: activation f32[400]", f"last: input f32[400] {figures}").replace('    last = index table @ "a.py":3\n', "")
    assert not said(diagnose, cut.replace("zeros=0.95", "zeros=0.8"))


SILENT = {
    "two outputs": TABLE.replace("s: activation f32[400,5]", "s: activation f32[400,2]"),
    "bins": TABLE.replace("maximum=1 zeros=0.95", "maximum=4 zeros=0.95"),
    "half of them 1": TABLE.replace("zeros=0.95", "zeros=0.5"),
    "figures that are no numbers": TABLE.replace("zeros=0.95", 'zeros="nan"'),
    "a cast of what no op scaled": TABLE.replace("table = div raw top", "table = copy raw"),
    "features on a scale of their own": HANDED.replace("minimum=-1.0 maximum=1.0", "minimum=-3.1 maximum=2.7"),
    "all ids seen over the run": HANDED.replace("minimum=0.0 maximum=1.0 values", "minimum=0.0 maximum=6.0 values"),
    "a label for each pixel": HANDED.replace("y: label i64[40]", "y: label i64[40,9]"),
}


@pytest.mark.parametrize("case", SILENT)
def test_the_rule_is_silent(case: str):
    assert not said(diagnose, SILENT[case])


BY_LOSS = """
    x: input f32[32,6]
    y: label f32[32] minimum=0 maximum=0.027 zeros=0.1 whole=0.1
    w: parameter f32[6,8]
    s: activation f32[32,8]
    s = linear x w @ "a.py":8
    loss = cross_entropy s y with={"target":1,"ids":true,"axis":-1} @ "a.py":9
    labels values=["y"] how="target"
"""


def test_fractions_that_a_loss_on_ids_cuts_itself():
    (found,) = said(diagnose, BY_LOSS)

    assert found.severity == "error"
    assert "insensitive" in {fact.what for fact in found.explains}
    assert not said(diagnose, BY_LOSS.replace("maximum=0.027", "maximum=7").replace("whole=0.1", "whole=1.0"))
    assert not said(diagnose, BY_LOSS.replace("maximum=0.027", 'maximum="nan"'))
