"""WG705 where a reshape asks for another number of entries, or a layer is given a recurrent layer's pair."""

import pytest

from sketch import said
from whygrad.rules.wiring.input_shape import diagnose

RESHAPE = """
    raised type="RuntimeError" message="{}" @ "train.py":20
    x: input f32[16,4,6,6] called="h"
    w: parameter f32[2,2]
    = reshape x failed=true @ "train.py":20
    parameter w
"""
PAIR = """
    raised type="TypeError" message="linear(): argument 'input' (position 1) must be Tensor, not tuple" @ "train.py":20
    x: input f32[8,5,3]
    u: parameter f32[32,3]
    h: activation f32[8,5,8]
    h = {} x u module="0" @ "train.py":20
    parameter u
"""


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("shape '[16, 256]' is invalid for input of size 2304", "needs 4,096 numbers, and `h` (f32[16,4,6,6]) has 2,304"),
        ("shape '[-1, 256]' is invalid for input of size 2304", "needs a multiple of 256 numbers, and `h`"),
        (
            "The total size of the tensor must be unchanged. Received: input_shape=(12,), target_shape=(5, 3)",
            "needs 15 numbers, and `h`",
        ),
        ("cannot reshape array of shape (16, 4, 6, 6) (size 2304) into shape (16, 100) (size 1600)", "needs 1,600 numbers"),
    ],
)
def test_a_reshape_of_other_entries(message, told):
    (diagnosis,) = said(diagnose, RESHAPE.format(message))

    assert told in diagnosis.message


def test_the_pair_of_a_recurrent_layer():
    (diagnosis,) = said(diagnose, PAIR.format("rnn"))

    assert "`0` returns its output and its state" in diagnosis.message


@pytest.mark.parametrize(
    "text",
    [
        PAIR.format("linear"),
        PAIR.format("rnn").replace("not tuple", "not list"),
        RESHAPE.format("shape is invalid"),
        RESHAPE.format("cannot reshape tensor of 0 elements into shape [0, -1]"),
        RESHAPE.format("view size is not compatible with input tensor's size and stride"),
    ],
)
def test_others_are_left_alone(text):
    assert not said(diagnose, text)


CARRY = 'raised type="TypeError" message="The input carry h has type {} but the corresponding output carry component has type float32[32,4], so" @ "train.py":6'


def test_a_state_of_another_shape_than_a_turn_makes():
    (diagnosis,) = said(diagnose, CARRY.format("float32[4]"))

    assert "starts with `h` as float32[4], and each turn makes it float32[32,4]" in diagnosis.message


def test_a_state_of_another_dtype_is_left_alone():
    assert not said(diagnose, CARRY.format("bfloat16[32,4]"))
