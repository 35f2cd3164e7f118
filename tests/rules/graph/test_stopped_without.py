"""Programs that stopped because the loss was a number, the model gave None, or the optimizer got nothing."""

import pytest

from sketch import said
from whygrad.rules.graph.discarded_result import diagnose as discarded
from whygrad.rules.graph.frozen_parameters import diagnose as frozen
from whygrad.rules.graph.rebuilt_tensor import diagnose as rebuilt
from whygrad.rules.graph.unregistered_parameter import diagnose as unregistered

LEFT = """
    raised type="AttributeError" message="'float' object has no attribute 'backward'" @ "train.py":20
    x: input f32[8,3]
    w: parameter f32[1,3]
    p: activation f32[8,1] called="scores"
    l: activation f32[] called="loss"
    p = linear x w @ "model.py":9
    l = mean p @ "train.py":18
    = leave l native="torch.Tensor.item" @ "train.py":19
    parameter w
"""
NONE = """
    raised type="TypeError" message="cross_entropy_loss(): argument 'input' (position 1) must be Tensor, not NoneType" @ "train.py":20
    x: input f32[8,3]
    y: input i64[8]
    w: parameter f32[2,3]
    p: activation f32[8,2] called="self.fc(x)"
    p = linear x w @ "model.py":9 in "Net.forward"
    = cross_entropy y failed=true @ "train.py":20
    parameter w
"""
EMPTY = 'raised type="ValueError" message="optimizer got an empty parameter list" @ "train.py":12'


def test_a_loss_that_left_is_told_where_it_left():
    (diagnosis,) = said(rebuilt, LEFT)

    assert "`item` has taken it out" in diagnosis.message
    assert diagnosis.site is not None
    assert diagnosis.site.line == 19


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("'float' object has no attribute 'backward'", "'float' object has no attribute 'shape'"),
        ("= leave l", "= leave x"),  # a number of the data's
        ('    = leave l native="torch.Tensor.item" @ "train.py":19\n', ""),
    ],
)
def test_other_numbers_are_not(old, new):
    assert old in LEFT
    assert not said(rebuilt, LEFT.replace(old, new))


def test_a_forward_that_returns_nothing_is_told_where_it_computes_last():
    (diagnosis,) = said(discarded, NONE)

    assert "`Net.forward` returns nothing" in diagnosis.message
    assert diagnosis.site is not None
    assert diagnosis.site.file == "model.py"
    assert diagnosis.severity == "warning"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("must be Tensor, not NoneType", "must be Tensor, not list"),
        ("= cross_entropy y failed", "= cross_entropy p y failed"),  # it was handed on
        (' in "Net.forward"', ""),
        ("p = linear x w", "p = linear x x"),  # of data alone
    ],
)
def test_other_nones_are_not(old, new):
    assert old in NONE
    assert not said(discarded, NONE.replace(old, new))


@pytest.mark.parametrize("message", ["optimizer got an empty parameter list", "can't optimize a non-leaf Tensor"])
def test_an_optimizer_without_parameters(message):
    (diagnosis,) = said(unregistered, EMPTY.replace("optimizer got an empty parameter list", message))

    assert diagnosis.site is not None
    assert diagnosis.site.line == 12


def test_other_exceptions_of_optimizers():
    assert not said(unregistered, EMPTY.replace("got an empty parameter list", "can only optimize Tensors"))


@pytest.mark.parametrize(
    ("about", "rules"), [("requires_grad", ["WG305"]), ("parameters()", ["WG307"]), ("Net.layers", ["WG307"]), ("", ["WG307"])]
)
def test_what_the_optimizer_was_given_decides_the_rule(about, rules):
    text = EMPTY.replace(" @", f' about="{about}" @') + ' ^ "train.py":5'
    found = [*said(frozen, text), *said(unregistered, text)]

    assert [diagnosis.rule for diagnosis in found] == rules
    assert found[0].site is not None
    assert found[0].site.line == (5 if about in ("requires_grad", "Net.layers") else 12)
