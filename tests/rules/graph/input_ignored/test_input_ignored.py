"""WG320 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.graph.input_ignored import diagnose

UNIT = """
    x: input f32[8,1] minimum=0.2 maximum=3.0 called="distance"
    u: activation f32[8,1] minimum=1.0 maximum=1.0
    w: parameter f32[4,1]
    u = norm x native="torch.nn.functional.normalize" @ "blocks.py":7
    out = linear u w @ "train.py":30
    loss = mean out
    ! backward loss @ "train.py":32
    ! optimizer_step opt
    measures label_sensitivity=1e-7
"""

OVER_ONE_FEATURE = (
    UNIT.replace('norm x native="torch.nn.functional.normalize"', "layer_norm x g b")
    .replace(
        "    w: par",
        "    g: parameter f32[1] minimum=1.0 maximum=1.0 zeros=0.0\n    b: parameter f32[1] minimum=0.0 maximum=0.0 zeros=1.0\n    w: par",
    )
    .replace("u: activation f32[8,1] minimum=1.0 maximum=1.0", "u: activation f32[8,1] minimum=0.0 maximum=0.0")
)

FILLED = """
    x: input f32[8,4] minimum=0.2 maximum=3.0 called="images"
    y: label i64[8] minimum=0 maximum=2
    z: activation f32[8,4] minimum=0.0 maximum=0.0
    w: parameter f32[3,4]
    z = create native="torch.zeros_like" with={"like":"x"} @ "train.py":7
    out = linear z w @ "train.py":30
    loss = cross_entropy out y with={"target":1}
    ! backward loss @ "train.py":32
    ! optimizer_step opt
    labels values=["y"] how="target"
"""

OWN_DATA = (
    UNIT.replace("x: input", "x: activation")
    .replace("u = norm x", 'x = random @ "train.py":3\n    u = norm x')
    .replace(
        "    w: parameter f32[4,1]", "    w: parameter f32[4,1]\n    g: input f32[4,1] minimum=0.0 maximum=0.1\n    n: activation f32[4,1]"
    )
    .replace("    ! backward", "    n = add w g\n    ! backward")
)
"""Data that the program draws itself, and an update that is added to its parameters."""

SILENT = {
    "a state that begins with zeros beside the input": FILLED.replace("out = linear z w", "h = linear x w\n    out = linear z w h"),
    "zeros in the form of the labels": FILLED.replace('{"like":"x"}', '{"like":"y"}'),
    "filled with the input after all": FILLED.replace("out = linear z w", "c = copy z x\n    out = linear c w"),
    "a branch that begins at zero": OVER_ONE_FEATURE.replace("minimum=1.0 maximum=1.0 zeros=0.0", "minimum=0.0 maximum=0.0 zeros=1.0"),
    "what comes out differs": UNIT.replace("minimum=1.0 maximum=1.0", "minimum=0.5 maximum=1.0"),
    "the input is the same everywhere": UNIT.replace("minimum=0.2 maximum=3.0", "minimum=3.0 maximum=3.0"),
    "another input besides": UNIT.replace(
        '    out = linear u w @ "train.py":30',
        "    y: input f32[8,1] minimum=0.0 maximum=1.0\n    v: parameter f32[4,1]\n    q = linear y v\n    r = linear u w\n    out = add q r",
    ),
    "a way round": UNIT.replace("out = linear u w", "both = concat u x\n    out = linear both w"),
    "figures of a sample": UNIT.replace("minimum=1.0 maximum=1.0", "minimum=1.0 maximum=1.0 sampled=true"),
    "figures that are not numbers": UNIT.replace("minimum=1.0 maximum=1.0", 'minimum="nan" maximum="nan" finite=0.0'),
    "no figures": UNIT.replace("minimum=1.0 maximum=1.0", ""),
    "one entry alone": UNIT.replace("f32[8,1] minimum=1.0", "f32[1,1] minimum=1.0"),
    "dead units (WG509)": UNIT.replace("u = norm", "u = relu").replace("minimum=1.0 maximum=1.0", "minimum=0.0 maximum=0.0"),
    "softmax over one unit (WG208)": UNIT.replace("u = norm", "u = softmax"),
    "not on the way to the loss": UNIT.replace("out = linear u w", "out = linear x w"),
    "all weights are one number (WG511)": UNIT.replace("u = norm x", "u = linear x z").replace(
        "    w: par", "    z: parameter f32[4,1] minimum=0.0 maximum=0.0\n    w: par"
    ),
    "labels that were made from the inputs": """
    x: input f32[8,1] minimum=0.2 maximum=3.0
    y: activation f32[8,1] minimum=0.0 maximum=1.0 whole=1.0
    w: parameter f32[1,1]
    s: activation f32[8,1] minimum=1.0 maximum=1.0
    q: activation f32[8,1] minimum=0.0 maximum=0.0
    k: activation f32[8,1] minimum=0.0 maximum=0.0
    y = compare x
    z = linear x w
    s = softmax z
    q = log s
    k = mul y q
    loss = mean k
    labels values=["y"] how="batch"
    ! backward loss
    ! optimizer_step opt
    """,
    "nothing happened": 'record program="train.py"',
}

MADE_INSIDE = UNIT.replace(
    '    x: input f32[8,1] minimum=0.2 maximum=3.0 called="distance"',
    """
    k: input f32[8,1] minimum=-1.0 maximum=2.0
    y: activation f32[8,1] minimum=-1.0 maximum=2.0
    x: activation f32[8,1] minimum=0.2 maximum=3.0 called="distance"
    x = random
    y = index k""",
).replace("loss = mean out", 'loss = mse_loss out y\n    labels values=["y"] how="target"')
"""The program makes its inputs itself, and its labels come from outside."""


def test_a_layer_normalisation_over_one_feature_is_one_whose_offset_begins_with_zeros() -> None:
    (diagnosis,) = said(diagnose, OVER_ONE_FEATURE)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 7


def test_an_input_that_is_flattened_out() -> None:
    (diagnosis,) = said(diagnose, UNIT)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 7
    assert diagnosis.message == "the model does not see its input: `normalize` makes 1 of every entry of `distance`"


def test_an_update_that_is_added_to_parameters_is_no_other_input() -> None:
    (diagnosis,) = said(diagnose, OWN_DATA)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 7


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_inputs_that_the_program_makes_itself_beside_labels_from_outside() -> None:
    (diagnosis,) = said(diagnose, MADE_INSIDE)

    assert diagnosis.names == ("distance",)


ONE_ROW = """
    x: input f32[1,4] called="x" minimum=0.1 maximum=2.0
    w: parameter f32[4,16]
    g: parameter f32[16] called="scale/gamma"
    b: parameter f32[16] called="scale/beta"
    v: parameter f32[16,1]
    h: activation f32[1,16] called="hidden"
    n: activation f32[1,16]
    out: activation f32[1,1]
    h = linear x w @ "train.py":4
    n = batch_norm h g b with={"data_axis":-1,"training":true} module="scale" @ "train.py":5
    out = linear n v @ "train.py":6
    loss = mean out
"""


def test_a_batch_norm_over_a_single_row():
    (diagnosis,) = said(diagnose, ONE_ROW)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 5
    assert diagnosis.label == "`scale/beta` comes out, whatever goes in"


@pytest.mark.parametrize(
    "text",
    [
        ONE_ROW.replace("[1,", "[2,"),
        ONE_ROW.replace('"training":true', '"training":false'),
        ONE_ROW.replace("f32[1,16]", "f32[1,5,16]"),
        ONE_ROW.replace("out = linear n v", "s = add n h\n    out = linear s v").replace(
            "    out: act", "    s: activation f32[1,16]\n    out: act"
        ),
    ],
    ids=["two rows", "the running figures", "several positions in the one row", "a way round"],
)
def test_batch_norms_that_see_the_input(text: str) -> None:
    assert not said(diagnose, text)


ONE_NUMBER = """
    batches path="[0]" seen=24 minimum=0 maximum=0 constant_batches=24 constant_levels=1 values=["x"]
    batches path="[1]" seen=24 minimum=0 maximum=2 values=["y"]
    x: input i64[32,8] minimum=0 maximum=0 called="X"
    y: label i64[32]
    w: parameter f32[20,4]
    e = embedding x w @ "train.py":9
    loss = cross_entropy e y with={"target":1} @ "train.py":10
    ! batch x y @ "train.py":8
    ! backward loss
    ! optimizer_step opt
    labels values=["y"] how="framework"
"""


def test_inputs_that_are_one_number_in_every_batch_while_the_labels_differ():
    (diagnosis,) = said(diagnose, ONE_NUMBER)

    assert diagnosis.message == "every input is the same: `X` holds 0 alone, and the labels differ"
    assert diagnosis.site is not None
    assert diagnosis.site.line == 8


PICKED = (
    ONE_NUMBER.replace('values=["x"]', 'values=["x","x2"]')
    .replace('values=["y"]\n    x', 'values=["y","y2"]\n    x')
    .replace(
        "    w: parameter",
        "    all: input i64[300,8]\n    x2: input i64[32,8] minimum=0 maximum=0\n    y2: input i64[32]\n    w: parameter",
    )
    .replace("    e = embedding", "    x = index all\n    e = embedding")
    .replace("    ! backward", "    z = compare x2 y2\n    ! backward")
    .replace("    w: parameter", "    z: activation bool[32]\n    w: parameter")
)
"""A loader picks them of all there are, and hands out the next batch before the step is over."""


def test_the_data_that_a_loader_picks_from_are_nothing_beside_its_batches():
    (diagnosis,) = said(diagnose, PICKED + '    origin values=["x"] @ "data.py":7\n    origin values=["x"] @ "data.py":3\n')

    assert diagnosis.site is not None
    assert (diagnosis.site.file, diagnosis.site.line) == ("data.py", 3)


@pytest.mark.parametrize(
    "text",
    [
        ONE_NUMBER.replace("seen=24", "seen=2").replace("constant_batches=24", "constant_batches=2"),
        ONE_NUMBER.replace("maximum=0 constant_batches=24", "maximum=9 constant_batches=3"),
        ONE_NUMBER.replace("minimum=0 maximum=2", "minimum=0 maximum=0"),
        ONE_NUMBER.replace("[32,8]", "[32,1]"),
        ONE_NUMBER.replace("    e = embedding x w", "    z: input f32[32,4] minimum=0 maximum=1\n    n = embedding x w\n    e = add n z"),
        ONE_NUMBER.replace(
            '    batches path="[0]" seen=24 minimum=0 maximum=0', '    batches path="[0]" seen=24 minimum="nan" maximum="nan"'
        ),
        ONE_NUMBER.replace('    labels values=["y"] how="framework"', ""),
    ],
    ids=[
        "two batches",
        "some batches alone",
        "labels that are the same too",
        "a model of one constant",
        "data beside it",
        "no numbers",
        "no labels",
    ],
)
def test_inputs_that_may_well_be_the_same(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", [OVER_ONE_FEATURE, UNIT], ids=["a layer", "a function"])
def test_what_scales_a_single_feature_can_be_left_out(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.text) for edit in diagnosis.remedy.edits] == [("unwrap", "torch.nn.Identity()")]
    assert not diagnosis.remedy.safe


def test_a_norm_that_is_no_longer_one_entry_for_each_can_not() -> None:
    lost = UNIT.replace("u: activation f32[8,1]", "u: activation f32[8]").replace("w: parameter f32[4,1]", "w: parameter f32[4,8]")

    assert all(found.remedy is None for found in said(diagnose, lost))


def test_the_fractions_are_kept_where_a_division_cut_them_off():
    (diagnosis,) = said(diagnose, ONE_NUMBER + '    origin values=["x"] @ "data.py":3 text="x = pixels // 255  # to [0, 1]"\n')

    assert diagnosis.remedy is not None
    assert diagnosis.remedy.edits[0].action == "divide"
    assert diagnosis.label == "fractions are cut off here"


LABELS_TIMES_0 = """
    y: input i32[40] minimum=0 maximum=3 called="y"
    w: parameter f32[4,7]
    s: parameter f32[40,7]
    t: activation i32[40] minimum=0 maximum=0
    z = matmul s w @ "train.py":19
    t = mul y @ "train.py":20
    loss = cross_entropy z t with={"target":1} @ "train.py":21
    ! backward loss @ "train.py":22
    labels values=["t"] how="target"
"""


def test_labels_of_which_nothing_is_left_are_no_input():
    assert not said(diagnose, LABELS_TIMES_0)


def test_zeros_in_the_form_of_the_input_go_in_in_its_place() -> None:
    (found,) = said(diagnose, FILLED)

    assert found.site is not None
    assert found.site.line == 7
    assert "makes 0 of every entry of `images`" in found.message
