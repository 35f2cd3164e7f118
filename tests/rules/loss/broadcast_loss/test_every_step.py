"""WG203 where the one label of each example meets an output for each step."""

import pytest

from sketch import said
from whygrad.rules.loss.broadcast_loss import diagnose

STEPS = """
    x: input f32[12,30,2]
    w: parameter f32[64,2]
    h: activation f32[12,30,16]
    d: parameter f32[16,1]
    o: activation f32[12,30,1]
    p: activation f32[12,30] called="scores"
    y: input f32[12,1] called="y"
    loss: activation f32[]
    h = rnn x w native="{native}" module="memory" @ "train.py":9
    o = linear h d
    p = reshape o
    loss = mse_loss p y with={{"target":1}} @ "train.py":15
    parameter w
    parameter d
    labels values=["y"] how="target"
"""


@pytest.mark.parametrize("native", ["keras.layers.LSTM", "torch.lstm"])
def test_an_output_for_each_step_against_one_label(native):
    (diagnosis,) = said(diagnose, STEPS.format(native=native))

    assert "all 30 steps of `memory`" in diagnosis.message
    assert diagnosis.severity == "warning"
    assert diagnosis.site is not None
    assert diagnosis.site.line == 9


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("y: input f32[12,1]", "y: input f32[12,30]"),  # a label for each step
        ("h = rnn x w", "h = linear x w"),  # several answers for each example, as quantiles are
        ("p: activation f32[12,30] ", "p: activation f32[12,1] "),  # the last step alone
        ('y: input f32[12,1] called="y"', 'r: input f32[12]\n    y: activation f32[12,1] called="y"\n    y = reshape r'),  # widened by hand
        ("    p = reshape o\n", "    p = mean o\n"),  # pooled
    ],
)
def test_other_shapes_are_left_alone(old, new):
    assert old in STEPS
    assert not said(diagnose, STEPS.format(native="keras.layers.LSTM").replace(old, new))


APART = """
    x: input f32[12,3,2]
    w: parameter f32[64,2]
    h: activation f32[12,3,16]
    g: activation f32[3,12,16]
    a: activation f32[12,16]
    b: activation f32[12,16]
    c: activation f32[12,16]
    d: parameter f32[16,1]
    k: activation f32[12,1]
    l: activation f32[12,1]
    m: activation f32[12,1]
    q: activation f32[3,12,1]
    o: activation f32[12,3,1]
    p: activation f32[12,3] called="scores"
    y: input f32[12,1] called="y"
    loss: activation f32[]
    h = rnn x w native="keras.layers.GRU" module="memory" @ "train.py":9
    g = transpose h module="each"
    a = index g module="each"
    k = linear a d module="each"
    b = index g module="each"
    l = linear b d module="each"
    c = index g module="each"
    m = linear c d module="each"
    q = concat k l m native="tf.Pack" with={"axis":0} module="each"
    o = transpose q module="each"
    p = reshape o
    loss = mse_loss p y with={"target":1} @ "train.py":15
    parameter w
    parameter d
    labels values=["y"] how="target"
"""
"""A layer inside a wrapper that runs it on each step by itself."""


def test_layers_that_are_run_on_each_step_by_themselves_keep_the_steps():
    (diagnosis,) = said(diagnose, APART)

    assert "all 3 steps of `memory`" in diagnosis.message
    assert "TimeDistributed" in diagnosis.help
    assert diagnosis.remedy is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("h = rnn x w", "h = linear x w"),
        ("b = index g", "b = index x"),  # put together of two
        ('o = transpose q module="each"', 'o = transpose q module=""'),  # by hand
        ("y: input f32[12,1]", "y: input f32[12,3]"),
    ],
)
def test_other_ways_of_putting_together_are_left_alone(old, new):
    assert old in APART
    assert not said(diagnose, APART.replace(old, new))
