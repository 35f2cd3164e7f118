"""WG705 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.wiring.input_shape import diagnose

LINEAR = """
    raised type="RuntimeError" message="mat1 and mat2 shapes cannot be multiplied (8x800 and 400x10)" @ "train.py":20
    c: parameter f32[8,1,3,3]
    x: input f32[8,1,12,12]
    h: activation f32[8,800] called="h"
    w: parameter f32[10,400]
    h = conv x c @ "train.py":19
    = linear h w native="torch.nn.functional.linear" module="fc" failed=true @ "train.py":20
    parameter c @ "train.py":4
    parameter w @ "train.py":5
"""


def first(data: str, weight: str, kind: str = "linear") -> str:
    """The first layer of a model, given data that do not fit."""
    return f"""
    raised type="RuntimeError" message="no" @ "train.py":20
    x: input f32[{data}] called="x"
    w: parameter f32[{weight}]
    = {kind} x w native="torch.{kind}" module="first" failed=true @ "train.py":20
    parameter w @ "train.py":5
    """


IDS = """
    raised type="RuntimeError" message="index out of range in self" @ "train.py":20
    x: input i64[8,12] called="tokens" minimum=0 maximum=640
    w: parameter f32[500,16]
    = embedding x w native="torch.embedding" module="embed" failed=true @ "train.py":20
    parameter w @ "train.py":5
"""
TOLD = IDS.replace(" minimum=0 maximum=640", "").replace("index out of range in self", "indices[0,3] = 640 is not in [0, 500)")

FIRES = {
    "an id beyond the last row": (IDS, 5, "641 of them or more"),
    "an id beyond the last row, as the exception has it": (TOLD, 5, "641 of them or more"),
    "an id below zero": (IDS.replace("minimum=0 maximum=640", "minimum=-1 maximum=40"), 5, "the smallest is 0"),
    "the number in the declaration": (LINEAR, 5, "declare `fc` for 800 features"),
    "too many columns": (first("8,7", "10,4"), 5, "declare `first` for 7 features"),
    "a missing flatten": (first("8,1,12,12", "10,144"), 20, "`x.flatten(1)`"),
    "channels last": (first("8,12,12,3", "4,3,3,3", "conv"), 20, "`x.movedim(3, 1)`"),
    "no channel axis": (first("8,12,12", "4,1,3,3", "conv"), 20, "`x.unsqueeze(1)`"),
    "a sequence in another order": (first("8,5,20", "4,5,3", "conv").replace("[8,5,20]", "[8,20,5]"), 20, "`x.movedim(2, 1)`"),
    "a recurrent layer that checks for itself": (
        'raised type="RuntimeError" message="input.size(-1) must be equal to input_size. Expected 4, got 5" @ "train.py":9',
        9,
        "declare the layer",
    ),
}

SILENT = {
    "ids that have their rows": IDS.replace("maximum=640", "maximum=499"),
    "ids of which nothing is known": IDS.replace(" minimum=0 maximum=640", ""),
    "ids that are no numbers": IDS.replace("minimum=0 maximum=640", "minimum=nan maximum=nan"),
    "the call went through": LINEAR.replace("failed=true", "")
    .replace("    = linear", "    loss = linear")
    .replace("    raised", "    # raised"),
    "sizes that fit (WG707)": first("8,4", "10,4"),
    "an op without weights": LINEAR.replace("= linear h w", "= linear h x"),
    "a transposed convolution": first("8,7,12", "4,8,3", "conv").replace("torch.conv", "torch.conv_transpose1d"),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line", "advice"), FIRES.values(), ids=FIRES)
def test_data_that_do_not_fit(text: str, line: int, advice: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert advice in diagnosis.help
    assert Fact("exception", "RuntimeError") in diagnosis.explains


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_the_message() -> None:
    (diagnosis,) = said(diagnose, LINEAR)

    assert diagnosis.message == "`fc` takes 400 features, and `h` (f32[8,800]) has 800"
    assert diagnosis.evidence[0].statement == "`h` (f32[8,800]) meets the weight `w` (f32[10,400]): axis 1 is 800, and 400 is due"


KEPT = """
    raised type="ValueError" message="rank" @ "train.py":20
    x: input f32[8,5,6] called="x"
    y: label i64[8]
    w: parameter f32[6,3]
    s: activation f32[8,5,3]
    s = linear x w with={"weight_axis":0} native="keras.layers.Dense" module="dense" @ "train.py":7
    = cross_entropy s y with={"target":1,"ids":true,"axis":-1} failed=true @ "train.py":9
    parameter w @ "train.py":7
"""


def test_a_dense_layer_that_keeps_the_axes_of_the_data():
    (diagnosis,) = said(diagnose, KEPT)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 7
    assert not said(
        diagnose,
        KEPT.replace("s = linear x w", "e = rnn x w\n    s = linear e w").replace("    s: act", "    e: activation f32[8,5,6]\n    s: act"),
    )
    assert not said(diagnose, KEPT.replace("label i64[8]", "label i64[8,5]"))


REFUSED = """
    raised type="ValueError" message="Input 0 with name 'None' of layer 'conv2d' is incompatible with the layer: {said}" @ "train.py":14
    x: input f32[24,3,20,20] called="images"
    y: label i64[24]
    x = enter @ "train.py":6
    = opaque x native="keras.layers.InputLayer" failed=true @ "train.py":12
"""

SAID = {
    "channels first": (
        "expected axis -1 of input shape to have value 3, but received input with shape (24, 3, 20, 20)",
        "the model takes 3 entries on axis 3, and `images` has them on axis 1",
    ),
    "a missing flatten": (
        "Expected shape (None, 1200), but input has incompatible shape (24, 3, 20, 20)",
        "the model takes 1,200 entries on axis 3, and `images` has them spread over 3 axes",
    ),
    "another number": (
        "expected axis -1 of input shape to have value 4, but received input with shape (24, 3, 20, 20)",
        "the layer called here takes 4 entries on axis -1, and its input has the shape (24, 3, 20, 20)",
    ),
    "too few axes": (
        "expected min_ndim=5, found ndim=4. Full shape received: (24, 3, 20, 20)",
        "the layer called here takes an input of 5 axes, and is given one of 4",
    ),
}


@pytest.mark.parametrize(("said_", "message"), SAID.values(), ids=SAID)
def test_checks_of_keras(said_: str, message: str) -> None:
    (diagnosis,) = said(diagnose, REFUSED.replace("{said}", said_))

    assert diagnosis.message == message
