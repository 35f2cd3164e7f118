"""Which way values move the loss."""

import pytest

from sketch import sketch
from whygrad.flow.signs import loss_signs

CHAIN = """
    w: parameter f32[4]
    v: input f32[4] minimum=0.5 maximum=2 mean=1
    x: activation f32[4] minimum=0.5 maximum=3 mean=1
    a: activation f32[4] minimum=-3 maximum=-0.5 mean=-1
    loss: loss f32[] mean=-1
    x = exp w
    a = {}
    loss = mean a
"""


@pytest.mark.parametrize(
    ("op", "sign"),
    [
        ("neg x", -1),
        ("exp x", 1),
        ("sub v x", -1),
        ("sub x v", 1),
        ("mul v x", 1),
        ("div v x", -1),
        ("div x v", 1),
        ('sub x native="torch.Tensor.__rsub__"', -1),
        ("opaque x", 0),
        ("softmax x", 0),
        ("mul x", -1),
        ("where v x", 1),
        ("where x v", 0),
    ],
)
def test_one_op(op: str, sign: int) -> None:
    assert loss_signs(sketch(CHAIN.format(op)).steps[0])["x"] == sign


def test_ways_that_disagree_tell_nothing() -> None:
    text = CHAIN.format("neg x").replace("loss = mean a", "b = add a x\n    loss = mean b")

    assert loss_signs(sketch(text).steps[0])["x"] == 0


def test_a_square_of_what_may_be_negative_tells_nothing() -> None:
    text = CHAIN.format("square x")

    assert loss_signs(sketch(text).steps[0])["x"] == 1
    assert loss_signs(sketch(text.replace("minimum=0.5 maximum=3", "minimum=-3 maximum=3")).steps[0])["x"] == 0


def test_data_that_happen_to_be_negative_tell_nothing() -> None:
    text = CHAIN.format("mul v x").replace("minimum=0.5 maximum=2 mean=1", "minimum=-2 maximum=-0.5 mean=-1")

    assert loss_signs(sketch(text).steps[0])["x"] == 0
