"""WG705 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.ir import Site
from whygrad.rules.remedies_of_settings import begun_for
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
        KEPT.replace("s = linear x w", "e = attention x w\n    s = linear e w").replace(
            "    s: act", "    e: activation f32[8,5,6]\n    s: act"
        ),
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
        "`conv2d` takes 4 entries on axis -1, and `images` has the shape (24, 3, 20, 20)",
    ),
    "too few axes": (
        "expected min_ndim=5, found ndim=4. Full shape received: (24, 3, 20, 20)",
        "`conv2d` takes an input of at least 5 axes, and `images` (24, 3, 20, 20) has 4",
    ),
}


@pytest.mark.parametrize(("said_", "message"), SAID.values(), ids=SAID)
def test_checks_of_keras(said_: str, message: str) -> None:
    (diagnosis,) = said(diagnose, REFUSED.replace("{said}", said_))

    assert diagnosis.message == message


@pytest.mark.parametrize(
    ("line", "flat"),
    [
        ("model.fit(images, y, epochs=3)", True),
        ("model.fit(x=images, y=y)", True),
        ("model.fit(dataset, epochs=3)", False),
        ("scores = model(images)", False),
    ],
)
def test_data_that_are_handed_to_training_are_flattened_there(line: str, flat: bool) -> None:
    text = REFUSED.replace("{said}", SAID["a missing flatten"][0]).replace('"train.py":14', f'"train.py":14 text="{line}"')
    (diagnosis,) = said(diagnose, text)

    texts = [edit.text for edit in (diagnosis.remedy.edits if diagnosis.remedy is not None else ())]
    assert texts == (["{x}.reshape(images.shape[0], -1)"] if flat else [])


@pytest.mark.parametrize(("line", "moved"), [("model.fit(images, y, epochs=3)", True), ("model.fit(dataset, epochs=3)", False)])
def test_their_axes_are_put_in_order_there_too(line: str, moved: bool) -> None:
    text = REFUSED.replace("{said}", SAID["channels first"][0]).replace('"train.py":14', f'"train.py":14 text="{line}"')
    (diagnosis,) = said(diagnose, text)

    texts = [edit.text for edit in (diagnosis.remedy.edits if diagnosis.remedy is not None else ())]
    assert texts == (["numpy.moveaxis({x}, 1, 3)"] if moved else [])


STEPS = """
    raised type="ValueError" message="rank" @ "train.py":20
    x: input f32[8,5,6] called="x"
    y: label f32[8,3]
    u: parameter f32[6,16]
    w: parameter f32[4,3]
    e: activation f32[8,5,4]
    s: activation f32[8,5,3]
    e = rnn x u native="keras.layers.LSTM" module="lstm" @ "train.py":6
    s = linear e w with={"weight_axis":0} native="keras.layers.Dense" module="dense" @ "train.py":7
    = categorical_cross_entropy s y with={"target":1,"ids":false,"axis":-1} failed=true @ "train.py":9
    parameter w @ "train.py":7
"""


@pytest.mark.parametrize("labels", ["f32[8,3]", "f32[8,1]"])
def test_a_recurrent_layer_that_gives_every_step_an_output(labels: str) -> None:
    (diagnosis,) = said(diagnose, STEPS.replace("f32[8,3]\n    u", f"{labels}\n    u"))

    assert diagnosis.message == "`lstm` gives an output for each of 5 steps, and each example has one label"
    assert diagnosis.site is not None
    assert diagnosis.site.line == 6


STEPS_SILENT = {
    "labels for every step": STEPS.replace("f32[8,3]\n    u", "f32[8,5,3]\n    u"),
    "another number of rows (WG209)": STEPS.replace("f32[8,3]\n    u", "f32[6,3]\n    u"),
    "attention in between": STEPS.replace("s = linear e w", "a = attention e\n    s = linear a w").replace("    s: act", "    a: activation f32[8,5,4]\n    s: act"),
    "another framework's layer": STEPS.replace("keras.layers.LSTM", "torch.lstm"),
}  # fmt: skip


@pytest.mark.parametrize("text", STEPS_SILENT.values(), ids=STEPS_SILENT)
def test_other_axes_of_labels(text: str) -> None:
    assert not said(diagnose, text)


BORDERS = """
    raised type="ValueError" message="shape" @ "train.py":20
    x: input f32[8,32,32,3] called="x"
    y: label f32[8,32,32,1]
    c: parameter f32[3,3,3,4]
    d: parameter f32[1,1,4,1]
    h: activation f32[8,30,30,4]
    s: activation f32[8,30,30,1]
    h = conv x c native="keras.layers.Conv2D" module="conv2d" @ "train.py":6
    s = conv h d native="keras.layers.Conv2D" module="conv2d_1" @ "train.py":7
    = binary_cross_entropy s y with={"target":1} failed=true @ "train.py":9
"""


def test_convolutions_that_take_the_borders_off():
    (diagnosis,) = said(diagnose, BORDERS)

    assert "`conv2d` takes the borders off" in diagnosis.message
    assert diagnosis.site is not None
    assert diagnosis.site.line == 6
    assert "32 x 32 labels" in diagnosis.message
    assert not said(diagnose, BORDERS.replace("f32[8,32,32,1]", "f32[8,30,30,1]").replace("failed=true ", ""))
    assert not said(
        diagnose,
        BORDERS.replace("h: activation f32[8,30,30,4]", "h: activation f32[8,15,15,4]").replace("f32[8,30,30,1]", "f32[8,15,15,1]"),
    )


LAST = """
    raised type="ValueError" message="Input 0 with name 'None' of layer 'lstm_1' is incompatible with the layer: expected ndim=3, found ndim=2. Full shape received: (None, 16)" @ "train.py":10
    h: activation f32
    h = rnn native="keras.layers.LSTM" module="lstm" @ "train.py":9
    = rnn h native="keras.layers.LSTM" module="lstm_1" failed=true @ "train.py":10
"""


def test_a_recurrent_layer_behind_one_that_gives_its_last_output():
    (diagnosis,) = said(diagnose, LAST)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 9
    assert "return_sequences=True" in diagnosis.help


ORDER = """
    raised type="ValueError" message="Input 0 with name 'left' of layer 'functional' is incompatible with the layer: expected shape=(None, 8), found shape=(None, 4)" @ "train.py":11
    a: input f32[32,4] called="right"
    b: input f32[32,8] called="left"
    y: label f32[32]
    ! batch a b y @ "train.py":11
    = opaque a native="keras.layers.InputLayer" module="left" failed=true @ "train.py":5
    labels values=["y"] how="framework"
"""


def test_inputs_in_another_order():
    (diagnosis,) = said(diagnose, ORDER)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 11
    assert "`left` (f32[32,8]) would fit" in diagnosis.message
    assert "while" not in said(diagnose, ORDER.replace("b: input f32[32,8]", "b: input f32[32,5]"))[0].message


TWICE = """
    raised type="ValueError" message="Exception encountered when calling Net.call().\\n\\nInput 0 of layer 'conv1d' is incompatible with the layer: expected min_ndim=3, found ndim=2. Full shape received: (None, 50)" @ "train.py":13
    x: input f32[32,50] called="signals"
    = opaque x native="keras.layers.Conv1D" failed=true @ "train.py":13
    ! exception with={"type":"ValueError","message":"Exception encountered when calling Net.call().\\n\\nInput 0 of layer 'conv1d' is incompatible with the layer: expected min_ndim=3, found ndim=2. Full shape received: (32, 50)"}
"""


def test_one_exception_that_a_rehearsal_and_the_program_saw():
    (diagnosis,) = said(diagnose, TWICE)

    assert diagnosis.message == "`conv1d` takes an input of at least 3 axes, and `signals` (32, 50) has 2"
    assert diagnosis.site is not None
    assert diagnosis.help.startswith("give the data an axis for channels or features at the end: ")
    assert diagnosis.help.endswith("and declare it: `shape=(50, 1)`")


def test_a_sequence_of_single_numbers_is_told_its_further_axis():
    text = (
        LAST.replace("(None, 16)", "(None, 20)")
        .replace('    h = rnn native="keras.layers.LSTM" module="lstm" @ "train.py":9\n', "")
        .replace("= rnn h", "= rnn")
    )

    (diagnosis,) = said(diagnose, text.replace("    h: activation f32\n", ""))

    assert diagnosis.help.endswith("and declare it: `shape=(20, 1)`")
    assert "for features" in diagnosis.help
    assert not diagnosis.related


ORDERS = {
    "channels last": (first("8,12,12,3", "4,3,3,3", "conv"), ["{x}.movedim(3, 1)"]),
    "two axes that fit": (first("8,12,3,3", "4,3,3,3", "conv"), []),
    "what another layer made": (
        first("8,12,12,3", "4,3,3,3", "conv").replace("= conv x", "h = linear x v\n    = conv h").replace(
            "w: parameter", "h: activation f32[8,12,12,3]\n    v: parameter f32[3,3]\n    w: parameter"
        ).replace("    parameter w", "    parameter v\n    parameter w"),
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "texts"), ORDERS.values(), ids=ORDERS)
def test_axes_of_the_data_are_put_in_order_where_one_alone_fits(text: str, texts: list[str]) -> None:
    (diagnosis,) = said(diagnose, text)

    assert [edit.text for edit in (diagnosis.remedy.edits if diagnosis.remedy is not None else ())] == texts


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("params = net.init(key, jnp.zeros((1, FEATURES)))", "params = net.init(key, jnp.zeros((1, 7)))"),
        ("variables = model.init(k, jnp.ones([4, 5]), train=False)", ""),
        ("params = net.init(key, jax.random.normal(key, (8, 5)))", "params = net.init(key, jax.random.normal(key, (8, 7)))"),
        ("params = net.init(key, next(iter(batches))[0])", ""),
    ],
)
def test_weights_are_initialised_for_what_comes_in(line: str, written: str) -> None:
    remedy = begun_for(Site("train.py", 3, text=line), 7)
    told = [(edit.site.column or 0, edit.site.end_column or 0, edit.text) for edit in remedy.edits] if remedy is not None else []

    assert [line[: begin - 1] + text + line[end - 1 :] for begin, end, text in told] == [written] * bool(written)


@pytest.mark.parametrize(
    ("text", "rows"), [(IDS, "641"), (TOLD, "641"), (IDS.replace("minimum=0 maximum=640", "minimum=-1 maximum=40"), "")]
)
def test_a_table_gets_a_row_for_every_id(text: str, rows: str) -> None:
    (diagnosis,) = said(diagnose, text)
    edits = diagnosis.remedy.edits if diagnosis.remedy is not None else ()

    assert [(edit.keyword, edit.text, edit.position) for edit in edits] == [("num_embeddings", rows, 0)] * bool(rows)
