"""WG208 where the loss refused the ids: for two classes it speaks, for several that is WG220's."""

import pytest

from sketch import said
from whygrad.rules.loss.class_count_mismatch import diagnose as counted
from whygrad.rules.loss.softmax_over_one import diagnose

REFUSED = """
    raised type="InvalidArgumentError" message="Received a label value of 1 which is outside the valid range of [0, 1)." @ "train.py":20
    x: input f32[20,6]
    y: label i64[20] minimum=0 maximum=1 whole=1.0 distinct=2
    w: parameter f32[6,1]
    s: activation f32[20,1]
    p: activation f32[20,1]
    s = linear x w with={"weight_axis":0} native="keras.layers.Dense" module="dense" @ "train.py":7
    p = softmax s with={"axis":-1} @ "train.py":7
    = categorical_cross_entropy p y with={"target":1,"ids":true,"axis":-1} native="keras.losses.sparse_categorical_crossentropy" failed=true @ "train.py":9
    parameter w @ "train.py":7
    labels values=["y"] how="target"
"""
SEVERAL = REFUSED.replace("maximum=1 whole=1.0 distinct=2", "maximum=9 whole=1.0 distinct=9").replace("value of 1", "value of 9")


@pytest.mark.parametrize(("text", "rules"), [(REFUSED, ["WG208"]), (SEVERAL, ["WG220"])])
def test_one_of_the_two_speaks(text, rules):
    assert [diagnosis.rule for rule in (diagnose, counted) for diagnosis in said(rule, text)] == rules
