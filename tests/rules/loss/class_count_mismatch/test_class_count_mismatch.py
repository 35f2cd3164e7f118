"""WG220 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.loss.class_count_mismatch import diagnose

OUTPUTS = """
    x: input f32[36,6]
    y: label i64[36] minimum=0 maximum=11 whole=1.0 distinct=12
    w: parameter f32[10,6]
    out: activation f32[36,10]
    out = linear x w @ "zoo.py":14
    = cross_entropy out y failed=true with={"target":1,"ignore_index":-100} @ "train.py":35
    ! exception with={"type":"IndexError","message":"Target 11 is out of bounds."}
    parameter w reached=true optimizer="opt" @ "zoo.py":9 text="self.fc = nn.Linear(6, 10)" callers=[["train.py",28,"main"]]
    labels values=["y"] how="target"
"""

WEIGHTS = """
    x: input f32[30,6]
    y: label i64[30] minimum=0 maximum=3
    c: constant f32[3]
    w: parameter f32[4,6]
    out: activation f32[30,4]
    c = enter @ "weights.py":7
    out = linear x w @ "a.py":3
    = cross_entropy out y c failed=true with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""

FIRES = {
    "the number stands at the layer": (OUTPUTS, 9),
    "the number is handed on": (OUTPUTS.replace("nn.Linear(6, 10)", "nn.Linear(6, classes)"), 28),
    "the layer's place is unknown": (
        OUTPUTS.replace(' @ "zoo.py":9 text="self.fc = nn.Linear(6, 10)" callers=[["train.py",28,"main"]]', ""),
        35,
    ),
    "a single output": (OUTPUTS.replace("f32[36,10]", "f32[36,1]").replace("f32[10,6]", "f32[1,6]").replace("(6, 10)", "(6, 1)"), 9),
    "class weights too few": (WEIGHTS, 7),
    "class weights too many": (WEIGHTS.replace("f32[3]", "f32[5]"), 7),
    "rows of another width": (
        OUTPUTS.replace("i64[36]", "f32[36,12]").replace("cross_entropy", "bce_with_logits").replace("Target 11 is out of bounds.", ""),
        9,
    ),
    "one output for rows of three": (
        OUTPUTS.replace("i64[36]", "f32[36,3]")
        .replace("f32[36,10]", "f32[36,1]")
        .replace("f32[10,6]", "f32[1,6]")
        .replace("Target 11 is out of bounds.", ""),
        28,
    ),
}

SILENT = {
    "enough outputs": OUTPUTS.replace("f32[10,6]", "f32[12,6]")
    .replace("f32[36,10]", "f32[36,12]")
    .replace("failed=true ", "")
    .replace("Target 11 is out of bounds.", ""),
    "ids from 1 (WG204)": OUTPUTS.replace("minimum=0 maximum=11", "minimum=1 maximum=10").replace("Target 11", "Target 10"),
    "a mark of 255 (WG204)": OUTPUTS.replace("maximum=11", "maximum=255").replace("Target 11", "Target 255"),
    "weights for every class": WEIGHTS.replace("f32[3]", "f32[4]"),
    "a single output for two classes (WG208)": OUTPUTS.replace("f32[36,10]", "f32[36,1]")
    .replace("maximum=11", "maximum=1")
    .replace("Target 11", "Target 1"),
    "another number of rows (WG209)": OUTPUTS.replace("i64[36]", "f32[24,12]").replace("Target 11 is out of bounds.", ""),
    "a column against rows (WG202)": OUTPUTS.replace("i64[36]", "i64[36,1]")
    .replace("maximum=11", "maximum=9")
    .replace("Target 11 is out of bounds.", ""),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_another_number_of_classes(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_two_columns_for_a_single_yes_or_no():
    text = OUTPUTS.replace("i64[36]", "f32[36,2]").replace("f32[36,10]", "f32[36,1]").replace("cross_entropy", "bce_with_logits")

    (diagnosis,) = said(diagnose, text.replace("Target 11 is out of bounds.", ""))

    assert diagnosis.message == "`out` has 1 output, and each row of `y` 2"
    assert "`y[:, 1:]`" in diagnosis.help
    assert diagnosis.remedy is None


@pytest.mark.parametrize(("maximum", "needed"), [("14", "15"), ("7", "12"), ('"nan"', "12")])
def test_ids_of_all_batches_count(maximum: str, needed: str) -> None:
    handed = f'    batches path="[1]" seen=10 minimum=0 maximum={maximum} values=["y"]\n'
    (diagnosis,) = said(diagnose, handed + OUTPUTS)

    assert diagnosis.remedy is not None
    assert [edit.text for edit in diagnosis.remedy.edits] == [needed]
