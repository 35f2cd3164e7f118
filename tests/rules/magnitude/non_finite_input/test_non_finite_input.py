"""WG501 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.magnitude.non_finite_input import diagnose

LOST = """
    x: input f32[8,4] finite=0.97
    y: label f32[8,2]
    w: parameter f32[2,4]
    a = linear x w @ "train.py":8
    loss = mse_loss a y with={"target":1} @ "train.py":9
    ! batch x y @ "train.py":7
    ! backward loss @ "train.py":10
    ! optimizer_step opt
    labels values=["y"] how="target"
    measures loss="nan"
    birth stage="given" value="x" count=1 loss="nan"
"""

FIRES = {
    "NaN in the batch": (LOST, 7, "error"),
    "NaN in the labels": (LOST.replace('value="x"', 'value="y"'), 7, "error"),
    "where nothing handed it out, the first reader": (LOST.replace("! batch x y", "! batch y"), 8, "error"),
    "a parameter of a checkpoint": (LOST.replace('value="x"', 'value="w"'), 8, "error"),
    "a part of the batch, cut out within a layer": (
        LOST.replace('value="x"', 'value="part"').replace("loss = mse_loss", "loss: loss f32[] finite=0.0\n    loss = mse_loss"),
        7,
        "error",
    ),
    "from the figures alone": (
        LOST.replace('    birth stage="given" value="x" count=1 loss="nan"\n', "").replace(
            "loss = mse_loss", "loss: loss f32[] finite=0.0\n    loss = mse_loss"
        ),
        7,
        "error",
    ),
}

FIRES["rows of data that nobody looked at, with a share that is not a number"] = (
    """
    data: input f32[99,4]
    rows: activation f32[8,4] finite="nan" count=32
    w: parameter f32[2,4]
    loss: loss f32[] finite=0.0
    rows = index data @ "train.py":8
    a = linear rows w @ "train.py":9
    loss = mean a @ "train.py":9
    ! backward loss @ "train.py":10
""",
    8,
    "error",
)

SILENT = {
    "finite": LOST.replace('    birth stage="given" value="x" count=1 loss="nan"\n', ""),
    "NaN in a column that never reaches the loss": LOST.replace('    birth stage="given" value="x" count=1 loss="nan"\n', ""),
    "a mask of infinities, with a finite loss": LOST.replace("finite=0.97", "finite=0.5").replace(
        '    birth stage="given" value="x" count=1 loss="nan"\n', ""
    ),
    "no figures at all": "x: input f32[8,4]\nw: parameter f32[2,4]\na = linear x w\nloss = mean a",
}

OTHERS = {
    "made by the model (WG502)": LOST.replace('stage="given" value="x"', 'stage="forward" op="a"'),
    "a parameter that an update spoilt (WG504)": LOST.replace('value="x"', 'value="w" step=3'),
    "a parameter that was never written (WG515)": LOST.replace('value="x"', 'value="w"') + "    parameter w unwritten=true\n",
}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG501"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)


def test_rows_of_all_that_was_handed_over_are_counted() -> None:
    handed = LOST.replace('count=1 loss="nan"', "count=12 rows=[3,1000] step=31")
    (diagnosis,) = said(diagnose, handed)

    assert diagnosis.evidence[0].statement == "12 entries in 3 rows of `x` are not finite, the first in row 1,000"
    assert diagnosis.evidence[1].statement.startswith("the loss is not finite from step 31 of ")


MADE = LOST.replace(
    "    x: input f32[8,4] finite=0.97",
    '    r: input f32[8,4]\n    x: input f32[8,4] finite=0.97\n    x = div r @ "train.py":4 text="LINE"',
)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("table = (table - m) / s", "{name} = torch.nan_to_num({name}, nan=0.0, posinf=0.0, neginf=0.0)"),
        ("table = np.log(table)", "{name} = numpy.nan_to_num({name}, nan=0.0, posinf=0.0, neginf=0.0)"),
        ("table = tf.math.log(table)", "{name} = tensorflow.where(tensorflow.math.is_finite({name}), {name}, 0.0)"),
    ],
)
def test_what_is_missing_can_be_filled_behind_the_line_that_makes_the_data(line: str, code: str) -> None:
    (diagnosis,) = said(diagnose, MADE.replace("LINE", line))

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.site.line, edit.text) for edit in diagnosis.remedy.edits] == [("insert", 4, code)]
    assert not diagnosis.remedy.safe


@pytest.mark.parametrize("text", [LOST, MADE.replace("LINE", "table = {'depth': np.log(depth)}"), MADE.replace("LINE", "return table / s")])
def test_nothing_is_filled_where_the_data_have_no_name(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is None


@pytest.mark.parametrize(
    ("line", "keywords"), [("model.fit(np.array(X), y, epochs=3)", ["x"]), ("model.fit(data, epochs=3)", []), ("for x, y in loader:", [])]
)
def test_what_is_missing_in_arrays_is_filled_where_they_are_handed_to_keras(line: str, keywords: list[str]) -> None:
    (diagnosis,) = said(diagnose, LOST.replace('! batch x y @ "train.py":7', f'! batch x y @ "train.py":7 text="{line}"'))

    assert [edit.keyword for edit in (diagnosis.remedy.edits if diagnosis.remedy else ())] == keywords


def test_what_a_loader_hands_out_is_followed_to_what_made_its_first_items() -> None:
    first = """
step 0
    raw: input f32[8,9]
    f: activation f32[8,4]
    x0: input f32[8,4]
    w: parameter f32[2,4]
    f = log raw @ "features.py":19
    x0 = concat f @ "train.py":7
    loss = linear x0 w @ "train.py":8
    ! batch x0 @ "train.py":7
    ! backward loss @ "train.py":10
step 1"""
    text = 'batches path="[0]" seen=24 minimum=0 maximum=1 values=["x0","x"] @ "train.py":5\n' + first + LOST
    (found,) = said(diagnose, text)

    assert found.site is not None
    assert (found.site.file, found.site.line) == ("features.py", 19)
    assert [place.site.line for place in found.related] == [7, 10]
