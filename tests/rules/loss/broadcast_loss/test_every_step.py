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
