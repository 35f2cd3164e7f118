"""WG204: the loss that is taken in the place of one for shares, where the labels are amounts or ids of classes."""

import pytest

from sketch import said
from whygrad.diagnosis import Diagnosis
from whygrad.rules.loss.label_out_of_range import diagnose

PRICES = """
record whygrad="0.1.0"
framework tensorflow "2.21"
framework keras "3.15"
step 0
    x: input f32[32,6]
    y: label f32[32,1] minimum=48.0 maximum=539.0 mean=200.0 whole=0.01 distinct=32 finite=1.0
    w: parameter f32[1,6]
    s: activation f32[32,1]
    p: activation f32[32,1]
    s = linear x w module="dense" @ "train.py":9:1-20 ^ "train.py":3:5-13 text="    Dense(1),"
    p = sigmoid s module="activation" @ "train.py":9:1-20 ^ "train.py":4:5-26 text="    Activation('sigmoid'),"
    loss = bce_with_logits s y native="keras.losses.binary_crossentropy" with={"target":1,"given":"p"} @ "train.py":8:20-41 text="model.compile(loss='binary_crossentropy')"
    ! backward loss @ "train.py":9 text="model.fit(x, y)"
    parameter w value=w reached=true gradient="finite" gradient_norm=0.3 @ "train.py":3:5-13 text="    Dense(1),"
    labels values=["y"] how="framework"
"""
IDS = PRICES.replace(
    "minimum=48.0 maximum=539.0 mean=200.0 whole=0.01 distinct=32", "minimum=0.0 maximum=2.0 mean=1.0 whole=1.0 distinct=3"
)
BARE = PRICES.replace(',"given":"p"', "").replace("    p = sigmoid s", "    p = tanh s")
LOGITS = BARE.replace(":20-41", ":15-65").replace("loss='binary_crossentropy'", "loss=losses.BinaryCrossentropy(from_logits=True)")


def edits(diagnosis: Diagnosis) -> list[tuple[str, int, str]]:
    return [(edit.action, edit.site.line, edit.text) for edit in (diagnosis.remedy.edits if diagnosis.remedy else ())]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BARE, [("callee", 8, "keras.losses.mean_squared_error|keras.losses.MeanSquaredError")]),
        (LOGITS, [("replace", 8, '"mean_squared_error"')]),
    ],
    ids=["by its name", "told that it is given scores"],
)
def test_amounts_are_given_the_squared_error(text: str, told: list[tuple[str, int, str]]) -> None:
    (diagnosis,) = said(diagnose, text)

    assert edits(diagnosis) == told


def test_a_sigmoid_before_amounts_is_left_out() -> None:
    (diagnosis,) = said(diagnose, PRICES)

    assert [(action, line) for action, line, _ in edits(diagnosis)] == [("callee", 8), ("unwrap", 4)]


def test_ids_are_given_an_output_each_and_a_softmax_for_the_sigmoid() -> None:
    (diagnosis,) = said(diagnose, IDS)

    assert [(action, line) for action, line, _ in edits(diagnosis)] == [("replace", 3), ("callee", 8), ("swap", 4)]
