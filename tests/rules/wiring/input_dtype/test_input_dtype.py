"""WG707 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.wiring.input_dtype import diagnose

DOUBLE = """
    raised type="RuntimeError" message="mat1 and mat2 must have the same dtype, but got Double and Float" @ "train.py":20
    raw: activation f64[50,4]
    x: activation f64[8,4] called="batch"
    w: parameter f32[10,4]
    raw = enter native="torch.from_numpy" @ "train.py":7
    x = index raw native="torch.Tensor.__getitem__" @ "train.py":18
    = linear x w native="torch.nn.functional.linear" module="fc" failed=true @ "train.py":20
"""

BYTES = DOUBLE.replace("f64[", "u8[")
FROM_LOADER = DOUBLE.replace('    raw = enter native="torch.from_numpy" @ "train.py":7\n', "").replace(
    '    x = index raw native="torch.Tensor.__getitem__" @ "train.py":18\n', ""
)

FIRES = {
    "NumPy's float64": (DOUBLE, 7),
    "integer images": (BYTES, 7),
    "out of a loader": (FROM_LOADER, 20),
    "a model in half precision": (FROM_LOADER.replace("w: parameter f32", "w: parameter f16").replace("f64[8,4]", "f32[8,4]"), 20),
    "ids that are no integers": (FROM_LOADER.replace("= linear", "= embedding").replace("f64[8,4]", "f32[8,4]"), 20),
    "a recurrent layer that checks for itself": (
        'raised type="ValueError" message="RNN input dtype (torch.float64) does not match weight dtype (torch.float32)" @ "train.py":9',
        9,
    ),
}


def test_ids_are_not_told_of_the_dtype_of_the_table() -> None:
    (diagnosis,) = said(diagnose, FIRES["ids that are no integers"][0])

    assert diagnosis.message == "`fc` takes whole numbers for ids, and `batch` is f32"
    assert diagnosis.label == "f32 meets ids"


SILENT = {
    "the call went through": DOUBLE.replace(" failed=true", "")
    .replace("    = linear", "    loss = linear")
    .replace("    raised", "    # raised"),
    "the same dtype (WG705)": DOUBLE.replace("f64[", "f32["),
    "ids beyond the last row (WG705)": FROM_LOADER.replace("= linear", "= embedding").replace(
        "x: activation f64[8,4]", "x: activation f32[8,4] minimum=0 maximum=900"
    ),
    "integer ids": FROM_LOADER.replace("= linear", "= embedding").replace("f64[8,4]", "i64[8,4]"),
    "a loss (WG210)": DOUBLE.replace("= linear x w", "= mse_loss x w"),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_data_of_another_dtype(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert {Fact("exception", "RuntimeError"), Fact("exception", "ValueError")} & diagnosis.explains


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_the_message() -> None:
    (diagnosis,) = said(diagnose, DOUBLE)

    assert diagnosis.message == "`fc` works in f32, and `batch` is f64"
    assert "`batch.float()`" in diagnosis.help


def test_floats_are_converted_where_they_are_made_and_else_at_the_layer() -> None:
    (made,), (loaded,) = said(diagnose, DOUBLE), said(diagnose, FROM_LOADER)

    assert made.remedy is not None
    assert [(edit.site.line, edit.text) for edit in made.remedy.edits] == [(7, "{x}.float()")]
    assert [(edit.site.line, edit.written) for edit in made.remedy.otherwise] == [(20, "batch")]
    assert loaded.remedy is not None
    assert [(edit.site.line, edit.position, edit.written) for edit in loaded.remedy.edits] == [(20, 0, "batch")]


def test_ids_are_converted_at_the_embedding_alone_since_fractions_are_lost() -> None:
    text = """
    raised type="RuntimeError" message="Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int" @ "train.py":20
    words: activation f32[8,4] called="words"
    w: parameter f32[50,4]
    words = round native="torch.floor" @ "train.py":7
    = embedding words w native="torch.nn.functional.embedding" module="emb" failed=true @ "train.py":20
    """
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is not None
    assert [(edit.site.line, edit.text) for edit in diagnosis.remedy.edits] == [(20, "{x}.long()")]
    assert not diagnosis.remedy.safe


def test_a_model_of_less_precision_gets_no_edit() -> None:
    (diagnosis,) = said(diagnose, DOUBLE.replace("parameter f32[10,4]", "parameter f16[10,4]"))

    assert diagnosis.remedy is None


HANDED = """
    raised type="ValueError" message="Unrecognized data type" @ "train.py":9
    x: input list[6] called="xs"
    y: input list[6] called="ys"
    = opaque x y native="keras.Model.fit" failed=true @ "train.py":9
    labels values=["y"] how="framework"
"""


def test_lists_are_one_fault_and_become_arrays():
    (diagnosis,) = said(diagnose, HANDED)

    assert diagnosis.message == "`fit` takes arrays, and `xs` and `ys` are lists of 6"
    assert diagnosis.remedy is not None
    assert [edit.keyword for edit in diagnosis.remedy.edits] == ["x", "y"]


def test_inputs_that_hold_no_numbers():
    (diagnosis,) = said(diagnose, HANDED.replace("x: input list[6]", "x: input object[6,3]").replace("y: input list[6]", "y: input i64[6]"))

    assert "`xs` holds Python objects" in diagnosis.message
    assert diagnosis.remedy is None
    assert not said(diagnose, HANDED.replace("x: input list[6]", "x: input f32[6,3]").replace("y: input list[6]", "y: input string[6]"))
