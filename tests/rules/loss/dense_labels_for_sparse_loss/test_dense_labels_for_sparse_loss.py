"""WG202 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.loss.dense_labels_for_sparse_loss import diagnose

ROWS = """
    x: input f32[30,6]
    r: input i64[30,5]
    y: label i64[30,5] minimum=0 maximum=1
    w: parameter f32[5,6]
    out: activation f32[30,5]
    y = cast r @ "data.py":9
    out = linear x w @ "a.py":3
    = cross_entropy out y failed=true with={"target":1} @ "a.py":5
    ! exception with={"type":"RuntimeError","message":"Expected floating point type for target with class probabilities, got Long"}
    labels values=["y"] how="target"
"""
FLOATS = ROWS.replace("i64[30,5]", "f32[30]").replace(
    "Expected floating point type for target with class probabilities, got Long", "expected scalar type Long but found Float"
)

COLUMN = (
    ROWS.replace("i64[30,5]", "i32[30,1]")
    .replace('"target":1', '"target":1,"ids":true')
    .replace("RuntimeError", "ValueError")
    .replace(
        "Expected floating point type for target with class probabilities, got Long",
        "`labels.shape.rank` must equal `logits.shape.rank - 1`",
    )
)

OPTAX_COLUMN = COLUMN.replace(
    "`labels.shape.rank` must equal `logits.shape.rank - 1`", "indices and arr must have the same number of dimensions; 3 vs. 2"
)
OPTAX_FLOATS = FLOATS.replace('"target":1', '"target":1,"ids":true').replace(
    "expected scalar type Long but found Float", "Expected the input to have a dtype that is a subdtype of integer"
)

FIRES = {
    "a column for a loss of optax' that reads ids": (OPTAX_COLUMN, 9),
    "floating ids for a loss of optax'": (OPTAX_FLOATS, 9),
    "floating ids for a loss of TensorFlow's": (
        OPTAX_FLOATS.replace(
            "Expected the input to have a dtype that is a subdtype of integer",
            "Value for attr 'Tlabels' of float is not in the list of allowed values: int32, int64",
        ),
        9,
    ),
    "a column for a loss of TensorFlow's that reads ids": (COLUMN, 9),
    "one-hot rows of integers": (ROWS, 9),
    "one-hot rows for a negative log-likelihood": (ROWS.replace("cross_entropy", "nll_loss"), 9),
    "one-hot rows of floats for a negative log-likelihood": (
        ROWS.replace("cross_entropy", "nll_loss").replace("i64[30,5]", "f32[30,5]"),
        9,
    ),
    "ids in a column": (ROWS.replace("i64[30,5]", "i64[30,1]"), 9),
    "ids in floats": (FLOATS, 9),
    "made in no op that is known": (ROWS.replace('    y = cast r @ "data.py":9\n', ""), 5),
}

SILENT = {
    "floating ids that a loss takes": OPTAX_FLOATS.replace("failed=true ", ""),
    "a loss that was refused for another reason": OPTAX_FLOATS.replace(
        "Expected the input to have a dtype that is a subdtype of integer", "out of memory"
    ),
    "a column that Keras' own loss takes": COLUMN.replace("failed=true ", ""),
    "a column, and an exception about something else": COLUMN.replace(
        "`labels.shape.rank` must equal `logits.shape.rank - 1`", "out of memory"
    ),
    "ids": ROWS.replace("i64[30,5]", "i64[30]").replace("failed=true ", ""),
    "soft labels": ROWS.replace("i64[30,5]", "f32[30,5]").replace("failed=true ", ""),
    "ids out of range (WG204)": ROWS.replace("i64[30,5]", "i64[30]").replace("Expected floating point type", "Target 7 is out of bounds"),
    "another number of rows (WG209)": ROWS.replace("i64[30,5]", "i64[24]"),
    "a loss that takes rows": ROWS.replace("cross_entropy", "bce_with_logits"),
    "shapes unknown": ROWS.replace("i64[30,5] minimum=0 maximum=1", "i64").replace("i64[30,5]", "i64"),
    "floats that raised for another reason": FLOATS.replace("expected scalar type Long but found Float", "out of memory"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_other_forms_than_ids(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
