"""WG210 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.loss.loss_dtype import diagnose

INTEGERS = """
    x: input f32[50,3]
    y: label i64[50] minimum=0 maximum=1
    w: parameter f32[1,3]
    out: activation f32[50]
    out = linear x w @ "a.py":3
    y = enter @ "data.py":35
    = bce_with_logits out y failed=true with={"target":1} @ "a.py":5
    ! exception with={"type":"RuntimeError","message":"result type Float can't be cast to the desired output type Long"}
    labels values=["y"] how="target"
"""

DOUBLE = """
    x: input f32[50,3]
    y: label f64[50]
    w: parameter f32[1,3]
    out: activation f32[50]
    out = linear x w @ "a.py":3
    loss = huber_loss out y with={"target":1} @ "a.py":5
    ! backward loss with={"failed":true} @ "a.py":6
    ! exception with={"type":"RuntimeError","message":"Found dtype Double but expected Float"}
    labels values=["y"] how="target"
"""

WRAPPED = """
    a: input u8[10,10] minimum=100 maximum=110
    b: input u8[10,10] minimum=130 maximum=150
    x: input f32[1,3]
    d: activation u8[10,10] minimum=206 maximum=236
    f: activation f32[10,10]
    y: label f32[1]
    w: parameter f32[1,3]
    out: activation f32[1]
    d = sub a b @ "data.py":22
    f = cast d @ "data.py":22
    y = mean f @ "data.py":22
    out = linear x w @ "a.py":3
    loss = mse_loss out y with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""

FIRES = {
    "integers for a binary cross-entropy": (INTEGERS, 35),
    "integers for a binary cross-entropy of TensorFlow's": (
        INTEGERS.replace(
            "result type Float can't be cast to the desired output type Long",
            "cannot compute Mul as input #1(zero-based) was expected to be a float tensor but is a int64 tensor [Op:Mul]",
        ),
        35,
    ),
    "integers for a squared error, in the backward": (DOUBLE.replace("f64[50]", "i64[50]").replace("huber_loss", "mse_loss"), 5),
    "float64 for a Huber loss, in the backward": (DOUBLE, 5),
    "32-bit ids": (
        INTEGERS.replace("bce_with_logits", "cross_entropy")
        .replace("i64[50]", "i32[50]")
        .replace("out: activation f32[50]", "out: activation f32[50,2]")
        .replace("result type Float can't be cast to the desired output type Long", "expected scalar type Long but found Int"),
        35,
    ),
    "a difference that wraps": (WRAPPED, 22),
    "a sum that wraps": (WRAPPED.replace("sub a b", "add a b").replace("minimum=206 maximum=236", "minimum=0 maximum=4"), 22),
}

SILENT = {
    "float64 that raised nothing": DOUBLE.replace('with={"failed":true} ', "").replace(
        '    ! exception with={"type":"RuntimeError","message":"Found dtype Double but expected Float"}\n', ""
    ),
    "the same dtype": INTEGERS.replace("i64[50]", "f32[50]"),
    "raised for another reason": INTEGERS.replace("result type Float can't be cast to the desired output type Long", "out of memory"),
    "ids in floats (WG202)": INTEGERS.replace("bce_with_logits", "cross_entropy").replace("i64[50]", "f32[50]"),
    "a difference that stays in range": WRAPPED.replace("minimum=206 maximum=236", "minimum=0 maximum=10").replace(
        "minimum=130 maximum=150", "minimum=90 maximum=100"
    ),
    "a difference of floats": WRAPPED.replace("u8", "f32"),
    "a difference of wide integers": WRAPPED.replace("u8", "i64").replace("minimum=206 maximum=236", "minimum=-50 maximum=-20"),
    "a wrapped value that nothing learns from": WRAPPED.replace("y = mean f", "z = mean f"),
    "no figures": WRAPPED.replace(" minimum=206 maximum=236", ""),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_dtypes_that_are_refused(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_the_place_is_the_call_that_gave_the_labels_their_dtype_not_the_numbers_it_was_given() -> None:
    without = INTEGERS.replace('    y = enter @ "data.py":35\n', '    origin values=["y"] @ "data.py":11\n')
    (decided,) = said(diagnose, without)
    (typed,) = said(diagnose, without + '    origin values=["y"] setting="dtype" @ "data.py":35\n')

    assert decided.site is not None
    assert typed.site is not None
    assert (decided.site.line, typed.site.line) == (11, 35)


TEXT = """
    raised type="ValueError" message="Invalid dtype: str320" @ "train.py":9
    x: input f32[90,4] called="rows"
    y: input string[90] called="species"
    y = enter @ "train.py":5
    = opaque x y native="keras.Model.fit" failed=true @ "train.py":9
    labels values=["y"] how="framework"
"""


def test_labels_that_are_text():
    (diagnosis,) = said(diagnose, TEXT)

    assert diagnosis.message == "a loss compares numbers, and `species` holds text"
    assert diagnosis.remedy is not None
    assert not diagnosis.remedy.safe
    assert not said(diagnose, TEXT.replace('values=["y"]', 'values=["x"]'))
    assert not said(diagnose, TEXT.replace("string[90]", "i64[90]"))


def test_text_that_a_loss_of_a_data_set_refuses():
    (diagnosis,) = said(
        diagnose, TEXT.replace("opaque x y", "cross_entropy x y").replace("keras.Model.fit", "keras.losses.SparseCategoricalCrossentropy")
    )

    assert diagnosis.remedy is None
